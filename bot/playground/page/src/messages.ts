import { useCallback, useEffect, useRef, useState } from "react";
import { readMessages } from "./api";
import { useLive } from "./live";
import type { Message } from "./types";

/** The messages of a channel or thread, read again whenever something in it changes; null until first read. */
export function useMessages(user: string, channel: string, thread_ts?: string): Message[] | null {
  const [messages, setMessages] = useState<Message[] | null>(null);
  const asked = useRef(0);
  const read = useCallback(async () => {
    const turn = ++asked.current;
    try {
      const found = await readMessages(user, channel, thread_ts);
      if (turn === asked.current) setMessages(found.filter((message) => !message.deleted));
    } catch {
      // The live link says when the playground is back, and everything is read again then.
    }
  }, [user, channel, thread_ts]);
  useEffect(() => {
    void read();
    return () => {
      asked.current++;
    };
  }, [read]);
  useLive((event) => {
    if (event.type === "link" || event.channel === channel) void read();
  });
  return messages;
}

const GROUPED_SECONDS = 300;

/** Whether a message continues the one above it, so that name and picture need not be said again. */
export function continues(above: Message | undefined, message: Message): boolean {
  if (!above || message.ephemeral || message.blocks.length > 0 || above.ephemeral || above.reply_count > 0) return false;
  return (above.user ?? above.bot_id) === (message.user ?? message.bot_id) && Number(message.ts) - Number(above.ts) < GROUPED_SECONDS;
}
