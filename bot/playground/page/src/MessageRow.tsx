import { memo } from "react";
import { Avatar } from "./Avatar";
import { Blocks } from "./blocks/Blocks";
import { Text } from "./blocks/Text";
import { Fence } from "./Fence";
import { Eye, Talk } from "./icons";
import { person } from "./names";
import { LooseSurface } from "./Surface";
import type { Message, User, World } from "./types";
import { useWords } from "./words";

type Props = { world: World; me: User; channel: string; message: Message; small: boolean; openThread?: (ts: string) => void };

export const MessageRow = memo(function MessageRow({ world, me, channel, message, small, openThread }: Props) {
  const words = useWords();
  const byApp = Boolean(message.bot_id) || message.user === world.app.bot_user;
  const author = person(world, message.user ?? (byApp ? world.app.bot_user : undefined));
  const name = message.username || author?.real_name || author?.name || world.app.name;
  const when = new Date(Number(message.ts) * 1000);
  const time = new Intl.DateTimeFormat(words.locale, { hour: words.locale.startsWith("en-US") ? "numeric" : "2-digit", minute: "2-digit", timeZone: me.tz }).format(when);
  const full = new Intl.DateTimeFormat(words.locale, { dateStyle: "full", timeStyle: "medium", timeZone: me.tz }).format(when);
  const clock = (
    <time dateTime={when.toISOString()} title={full}>
      {time}
    </time>
  );
  const canThread = openThread && !message.ephemeral;
  return (
    <li className={`message ${small ? "small" : ""} ${message.ephemeral ? "ephemeral" : ""}`} data-ts={message.ts}>
      {message.ephemeral && (
        <p className="only-you">
          <Eye />
          {words.onlyYou}
        </p>
      )}
      <div className="gutter">{small ? clock : <Avatar user={byApp ? undefined : author} world={world} />}</div>
      <div className="body">
        {!small && (
          <p className="who">
            <strong>{name}</strong>
            {byApp && <span className="app-badge">{words.app}</span>}
            {clock}
          </p>
        )}
        {message.blocks.length > 0 ? (
          <LooseSurface
            origin={{ user: me.id, channel, message_ts: message.ts }}
            blocks={message.blocks}
            version={message.edited?.ts ?? message.ts}
          >
            <Fence key={message.edited?.ts} instead={<Text text={message.text} />}>
              <Blocks blocks={message.blocks} />
            </Fence>
          </LooseSurface>
        ) : (
          <Text text={message.text} />
        )}
        {message.edited && <span className="edited">{words.edited}</span>}
        {message.reactions && message.reactions.length > 0 && (
          <div className="reactions">
            {message.reactions.map((reaction) => (
              <span key={reaction.name} className="chip">
                <Text text={`:${reaction.name}: ${reaction.count}`} />
              </span>
            ))}
          </div>
        )}
        {openThread && message.reply_count > 0 && (
          <button type="button" className="replies" onClick={() => openThread(message.thread_ts ?? message.ts)}>
            <Talk />
            {words.replies(message.reply_count)}
          </button>
        )}
      </div>
      {canThread && (
        <button type="button" className="hover-action icon-button" title={words.replyInThread} aria-label={words.replyInThread} onClick={() => openThread(message.thread_ts ?? message.ts)}>
          <Talk />
        </button>
      )}
    </li>
  );
});
