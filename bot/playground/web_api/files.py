"""files.*: the upload in three steps, the middle one being a POST to the address given."""

from bot.playground.records import Json, Message, StoredFile
from bot.playground.shapes import file_shape
from bot.playground.web_api.chat import announce, checked_blocks, place, thread
from bot.playground.web_api.method import ApiError, Asked, Method, invalid, words
from bot.playground.world import World

ALT_TEXT_MAX = 1000


def get_upload_url(asked: Asked) -> Json:
    world = asked.world
    try:
        length = int(asked.text("length"))
    except ValueError:
        raise invalid("invalid_arguments", "must be an integer [json-pointer:/length]") from None
    if length < 1:
        raise invalid("invalid_arguments", "must be greater than 0 [json-pointer:/length]")
    if len(asked.text("alt_txt")) > ALT_TEXT_MAX:
        raise ApiError("alt_txt_too_large")
    name, ticket = asked.text("filename"), world.next_id("upload")
    file = StoredFile(world.next_id("F"), name, name, asked.text("alt_txt"), length, ticket, int(world.clock()))
    world.files[file.id] = file
    return {"upload_url": f"{asked.address}/upload/v1/{ticket}", "file_id": file.id}


def receive_bytes(world: World, ticket: str, content: bytes) -> bool:
    """The second step. False where the address is unknown, used, or the length is another than announced."""
    with world.condition:
        for file in world.files.values():
            if file.ticket == ticket and file.content is None and file.length == len(content):
                file.content = content
                return True
        return False


def complete_upload(asked: Asked) -> Json:
    world = asked.world
    wanted = asked.args["files"]
    if not isinstance(wanted, list) or not all(isinstance(item, dict) and item.get("id") for item in wanted):
        raise invalid("invalid_arguments", "must provide an array of objects with an id [json-pointer:/files]")
    found = []
    for item in wanted:
        file = world.files.get(item["id"])
        if file is None or file.content is None:
            raise ApiError("file_not_found")
        found.append((file, item.get("title")))
    targets = [name for name in (asked.text("channel_id") or asked.text("channels")).split(",") if name]
    if len(targets) > 100:
        raise ApiError("channels_limit_exceeded")
    if asked.args.get("blocks") and asked.text("initial_comment"):
        raise invalid("invalid_arguments", "blocks and initial_comment exclude each other")
    blocks = checked_blocks(world, asked.args.get("blocks"))
    places = []
    for name in targets:
        place_args = Asked(world, {"channel": name, "thread_ts": asked.args.get("thread_ts")}, asked.address)
        channel = place(place_args, "channel")
        places.append((channel, thread(place_args, channel)))
    for file, title in found:
        file.completed, file.title = True, str(title or file.title)
        file.channels += [channel.id for channel, _ in places]
    for channel, parent in places:
        message = Message(world.next_ts(), channel.id, asked.text("initial_comment"), blocks, world.bot_user, True)
        message.thread_ts, message.files = parent, [file.id for file, _ in found]
        world.post(message)
        announce(asked, message)
    return {"files": [file_shape(world, file) for file, _ in found]}


def file_info(asked: Asked) -> Json:
    file = asked.world.files.get(asked.text("file"))
    if file is None or not file.completed:
        raise ApiError("file_not_found")
    return {"file": file_shape(asked.world, file), "comments": [], "response_metadata": {"next_cursor": ""}}


METHODS = {
    "files.getUploadURLExternal": Method(
        get_upload_url, words("filename length"), words("alt_txt snippet_type"), ("files:write",), json=False
    ),
    "files.completeUploadExternal": Method(
        complete_upload,
        ("files",),
        words("blocks channel_id channels initial_comment thread_ts"),
        ("files:write",),
    ),
    "files.info": Method(file_info, ("file",), words("count cursor limit page"), ("files:read",), json=False),
}
