import { Composer } from "./Composer";
import { Cross, Left } from "./icons";
import { MessageList } from "./MessageList";
import { useMessages } from "./messages";
import { channelLabel } from "./names";
import type { Channel, User, World } from "./types";
import { useWords } from "./words";

type Props = { world: World; me: User; channel: Channel; thread_ts: string; close: () => void };

export function Thread({ world, me, channel, thread_ts, close }: Props) {
  const words = useWords();
  const messages = useMessages(me.id, channel.id, thread_ts);
  return (
    <aside className="thread" aria-label={words.thread}>
      <header className="head">
        <button type="button" className="icon-button back" aria-label={words.back} onClick={close}>
          <Left />
        </button>
        <h2>{words.thread}</h2>
        <p className="topic">{channelLabel(world, channel, me.id)}</p>
        <button type="button" className="icon-button close" aria-label={words.close} onClick={close}>
          <Cross />
        </button>
      </header>
      <MessageList {...{ world, me, messages }} channel={channel.id} root={thread_ts} />
      <Composer {...{ world, me, thread_ts }} channel={channel.id} placeholder={words.reply} />
    </aside>
  );
}
