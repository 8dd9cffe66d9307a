import type { Element, Message, Option, Origin, Values, View, World } from "./types";

async function ask(path: string, body?: unknown): Promise<any> {
  const init = body === undefined ? {} : { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
  const reply = await fetch(`/playground/${path}`, init);
  const text = await reply.text();
  let data: any = {};
  try {
    data = text ? JSON.parse(text) : {};
  } catch {
    data = { ok: false, error: text.slice(0, 200) };
  }
  if (!reply.ok && !data.errors) throw new Error(data.error || `http_${reply.status}`);
  return data;
}

const query = (values: Record<string, string | undefined>) =>
  new URLSearchParams(Object.entries(values).filter((pair): pair is [string, string] => pair[1] !== undefined)).toString();

export const readWorld = (): Promise<World> => ask("world");
export const readMessages = async (user: string, channel: string, thread_ts?: string): Promise<Message[]> =>
  (await ask(`messages?${query({ user, channel, thread_ts })}`)).messages;
export const readHome = async (user: string): Promise<View | null> => (await ask(`home?${query({ user })}`)).view;
export const readStack = async (user: string): Promise<View[]> => (await ask(`view?${query({ user })}`)).stack;

export const sendCommand = (user: string, channel: string, text: string) => ask("command", { user, channel, text });
export const sendMessage = (user: string, channel: string, text: string, thread_ts?: string) =>
  ask("message", { user, channel, text, thread_ts });
export const sendAction = (origin: Origin, block_id: string, element: Element, value: unknown, values: Values) =>
  ask("action", { ...origin, block_id, action_id: element.action_id, element, value, values });
export const readOptions = async (origin: Origin, block_id: string, element: Element, value: string): Promise<Option[]> => {
  const found = await ask("options", { ...origin, block_id, action_id: element.action_id, value });
  return found.options ?? (found.option_groups ?? []).flatMap((group: { options: Option[] }) => group.options);
};
export const submitView = (user: string, view_id: string, values: Values) => ask("view/submit", { user, view_id, values });
export const closeView = (user: string, view_id: string) => ask("view/close", { user, view_id });
export const openHome = (user: string) => ask("open_home", { user });
export const invite = (channel: string, user: string) => ask("invite", { channel, user });
export const remove = (channel: string, user: string) => ask("remove", { channel, user });
