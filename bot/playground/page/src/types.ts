/** What the playground's JSON routes say; block kit stays loosely typed, as it comes from the app. */

export type Block = { type: string; block_id?: string } & Record<string, any>;
export type Element = { type: string; action_id?: string } & Record<string, any>;
export type Option = { text: { type: string; text: string }; value: string; description?: { text: string } };
export type Values = Record<string, Record<string, Record<string, any>>>;

export type User = {
  id: string;
  name: string;
  real_name: string;
  tz: string;
  locale: string;
  is_bot: boolean;
  color: string;
  initials: string;
  role?: string;
};

export type Channel = {
  id: string;
  name: string;
  is_im: boolean;
  is_private: boolean;
  is_ext_shared: boolean;
  members: string[];
  topic: string;
};

export type Command = { command: string; description?: string; usage_hint?: string };

export type World = {
  team: { id: string; name: string; domain: string };
  app: { name: string; bot_user: string; bot_id: string; connected: boolean; commands?: Command[] };
  users: User[];
  channels: Channel[];
};

export type Message = {
  ts: string;
  channel: string;
  user?: string;
  bot_id?: string;
  username?: string;
  text: string;
  blocks: Block[];
  thread_ts?: string;
  reply_count: number;
  edited?: { ts: string };
  ephemeral: boolean;
  deleted: boolean;
  reactions?: { name: string; count: number }[];
};

export type View = {
  id: string;
  hash?: string;
  type: "modal" | "home";
  title?: { text: string };
  submit?: { text: string } | null;
  close?: { text: string } | null;
  blocks: Block[];
  errors?: Record<string, string>;
};

/** Where a block is shown, as the action route wants to hear it. */
export type Origin = { user: string; channel?: string; message_ts?: string; view_id?: string };

export type LiveEvent = { type: string; channel?: string; ts?: string; connected?: boolean };
