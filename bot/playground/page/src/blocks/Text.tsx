import { Message as SlackBlocks, type Block as SlackBlock } from "slack-blocks-to-jsx";
import type { Block, World } from "../types";
import { usePaper } from "./state";

const SAFE = /^(https?:|mailto:)/i;

/** `<@U1|anna>` as `<@U1>`: the library knows references without their label only. */
function unlabelled(part: any, world: World): any {
  if (Array.isArray(part)) return part.map((item) => unlabelled(item, world));
  if (part === null || typeof part !== "object") return part;
  if (part.type === "mrkdwn") {
    const known = (id: string) => world.users.some((user) => user.id === id) || world.channels.some((channel) => channel.id === id);
    const text = part.text.replaceAll(/<([@#])(\w+)\|([^>]*)>/g, (_found: string, sign: string, id: string, label: string) =>
      known(id) ? `<${sign}${id}>` : sign + label,
    );
    return { ...part, text };
  }
  return Object.fromEntries(Object.entries(part).map(([key, value]) => [key, unlabelled(value, world)]));
}

/** Blocks that only show something, drawn by slack-blocks-to-jsx with the playground's people and channels. */
export function Shown({ blocks }: { blocks: Block[] }) {
  const { world, theme } = usePaper();
  const users = world.users.map((user) => ({ id: user.id, name: user.real_name || user.name }));
  const channels = world.channels.map((channel) => ({ id: channel.id, name: channel.name }));
  return (
    <SlackBlocks
      key={users.length + channels.length}
      blocks={unlabelled(blocks, world) as SlackBlock[]}
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

type TextObject = { type: string; text: string; emoji?: boolean };

/** One text object, or the bare mrkdwn text of a message. */
export function Text({ text }: { text: TextObject | string }) {
  const object = typeof text === "string" ? { type: "mrkdwn", text } : text;
  return <Shown blocks={[object.type === "plain_text" ? literal(object) : { type: "section", text: object }]} />;
}

/** plain_text as rich text: the library would format it (`*bold*`), and Slack does not. */
function literal({ text, emoji = true }: TextObject): Block {
  const parts = emoji ? text.split(/(:[a-z+-][\w+-]*:)/) : [text];
  const elements = parts
    .filter((part) => part !== "")
    .map((part) => (emoji && /^:[a-z+-][\w+-]*:$/.test(part) ? { type: "emoji", name: part.slice(1, -1) } : { type: "text", text: part }));
  return { type: "rich_text", elements: [{ type: "rich_text_section", elements }] };
}
