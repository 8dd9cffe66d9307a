import { Fragment, useEffect, useLayoutEffect, useRef } from "react";
import { MessageRow } from "./MessageRow";
import { continues } from "./messages";
import type { Message, User, World } from "./types";
import { type Words, useWords } from "./words";

type Props = { world: World; me: User; channel: string; messages: Message[] | null; openThread?: (ts: string) => void; root?: string };

const dayOf = (ts: string, zone: string) => new Intl.DateTimeFormat("sv-SE", { timeZone: zone }).format(Number(ts) * 1000);

function dayName(ts: string, me: User, words: Words): string {
  const now = Date.now() / 1000;
  const day = dayOf(ts, me.tz);
  if (day === dayOf(String(now), me.tz)) return words.today;
  if (day === dayOf(String(now - 86400), me.tz)) return words.yesterday;
  return new Intl.DateTimeFormat(words.locale, { weekday: "long", day: "numeric", month: "long", timeZone: me.tz }).format(Number(ts) * 1000);
}

/** Messages, oldest first, kept at the newest one unless the reader has scrolled up. */
export function MessageList({ world, me, channel, messages, openThread, root }: Props) {
  const words = useWords();
  const box = useRef<HTMLDivElement>(null);
  const inner = useRef<HTMLOListElement>(null);
  const stuck = useRef(true);
  const last = useRef(0);
  const toEnd = () => {
    if (stuck.current && box.current) box.current.scrollTop = box.current.scrollHeight;
  };
  const newest = messages?.at(-1);
  const known = useRef(newest?.ts);
  useLayoutEffect(() => {
    // One's own message and what the app answers to oneself alone are what one is waiting for.
    if (newest && newest.ts !== known.current && (newest.ephemeral || newest.user === me.id)) stuck.current = true;
    known.current = newest?.ts;
    toEnd();
  }, [messages]);
  useEffect(() => {
    const observer = new ResizeObserver(toEnd);
    if (inner.current) observer.observe(inner.current);
    if (box.current) observer.observe(box.current);
    return () => observer.disconnect();
  }, []);
  const onScroll = () => {
    const area = box.current;
    if (!area) return;
    // Only a move upwards leaves the end: pictures that load late make the list longer, and that is no wish to leave.
    if (area.scrollHeight - area.scrollTop - area.clientHeight < 80) stuck.current = true;
    else if (area.scrollTop < last.current) stuck.current = false;
    last.current = area.scrollTop;
  };
  return (
    <div className="list" ref={box} onScroll={onScroll} role="log" aria-live="polite" aria-label={words.messages} tabIndex={0}>
      <ol ref={inner}>
        {messages?.length === 0 && <li className="list-empty">{words.empty}</li>}
        {messages?.map((message, index) => {
          const above = messages[index - 1];
          const newDay = !root && (!above || dayOf(above.ts, me.tz) !== dayOf(message.ts, me.tz));
          return (
            <Fragment key={message.ts}>
              {newDay && (
                <li className="day">
                  <span>{dayName(message.ts, me, words)}</span>
                </li>
              )}
              <MessageRow
                {...{ world, me, channel, message }}
                small={!newDay && continues(above, message) && above?.ts !== root}
                openThread={openThread}
              />
              {root === message.ts && messages.length > 1 && <li className="replies-line">{words.replies(messages.length - 1)}</li>}
            </Fragment>
          );
        })}
      </ol>
    </div>
  );
}
