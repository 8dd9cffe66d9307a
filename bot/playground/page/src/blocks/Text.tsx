import { Message as SlackBlocks, type Block as SlackBlock } from "slack-blocks-to-jsx";
import type { Block } from "../types";
import { usePaper } from "./state";

const SAFE = /^(https?:|mailto:)/i;

/** Blocks that only show something, drawn by slack-blocks-to-jsx with the playground's people and channels. */
export function Shown({ blocks }: { blocks: Block[] }) {
  const { world, theme } = usePaper();
  const users = world.users.map((user) => ({ id: user.id, name: user.real_name || user.name }));
  const channels = world.channels.map((channel) => ({ id: channel.id, name: channel.name }));
  return (
    <SlackBlocks
      key={users.length + channels.length}
      blocks={blocks as unknown as SlackBlock[]}
      data={{ users, channels }}
      hooks={{
        link: ({ href, children, className }) =>
          SAFE.test(href) ? (
            <a href={href} className={className} target="_blank" rel="noreferrer noopener">
              {children}
            </a>
          ) : (
            <>{children}</>
          ),
      }}
      theme={theme}
      logo=""
      name=""
      withoutWrapper
    />
  );
}

/** One text object (or bare mrkdwn text). */
export function Text({ text }: { text: { type: string; text: string } | string }) {
  const object = typeof text === "string" ? { type: "mrkdwn", text } : text;
  return <Shown blocks={[{ type: "section", text: object }]} />;
}
