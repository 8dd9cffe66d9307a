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

/** What a person typed, with full names after "@" as the short ones that the playground knows; it escapes the rest itself. */
export function written(world: World, text: string): string {
  const people = [...world.users].sort((a, b) => b.real_name.length - a.real_name.length);
  return people.reduce((so_far, user) => so_far.replaceAll(`@${user.real_name}`, `@${user.name}`), text);
}
