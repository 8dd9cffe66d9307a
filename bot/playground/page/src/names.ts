import type { Channel, User, World } from "./types";

export const person = (world: World, id: string | undefined): User | undefined => world.users.find((user) => user.id === id);

/** The other end of a direct conversation. */
export const other = (world: World, channel: Channel, me: string): User | undefined =>
  person(world, channel.members.find((member) => member !== me) ?? channel.members[0]);

/** The direct conversation of `me` with the app, if there is one yet. */
export const appTalk = (world: World, me: string): Channel | undefined =>
  world.channels.find((channel) => channel.is_im && channel.members.includes(me) && channel.members.includes(world.app.bot_user));

export const channelLabel = (world: World, channel: Channel, me: string): string =>
  channel.is_im ? (other(world, channel, me)?.real_name ?? channel.id) : `#${channel.name}`;

/** What a person typed, as Slack's own clients send it: control characters escaped, @names and #names as references. */
export function written(world: World, text: string, escape: boolean): string {
  const plain = escape ? text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;") : text;
  const people = world.users
    .flatMap((user) => [
      [`@${user.real_name}`, user],
      [`@${user.name}`, user],
    ] as [string, User][])
    .sort((a, b) => b[0].length - a[0].length);
  let result = plain;
  for (const [name, user] of people) {
    result = replaceWord(result, name, escape ? `<@${user.id}>` : `<@${user.id}|${user.name}>`);
  }
  const channels = world.channels.filter((channel) => !channel.is_im).sort((a, b) => b.name.length - a.name.length);
  for (const channel of channels) result = replaceWord(result, `#${channel.name}`, `<#${channel.id}|${channel.name}>`);
  return result;
}

function replaceWord(text: string, word: string, by: string): string {
  const literal = word.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");
  return text.replaceAll(new RegExp(`(^|[\\s(,;])${literal}(?![\\p{L}\\p{N}_-])`, "giu"), (_found, before) => before + by);
}
