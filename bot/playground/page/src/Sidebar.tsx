import { Avatar } from "./Avatar";
import { HOME } from "./App";
import { Check, Chevron, Hash, Lock, Moon, Screen, Sun } from "./icons";
import { other } from "./names";
import type { ThemeChoice } from "./place";
import { usePopover } from "./popover";
import type { Channel, User, World } from "./types";
import { useWords } from "./words";

type Props = {
  world: World;
  me: User;
  people: User[];
  rooms: Channel[];
  talk: Channel | undefined;
  at: string;
  unread: Set<string>;
  connected: boolean;
  choice: ThemeChoice;
  choose: (choice: ThemeChoice) => void;
  open: (at: string) => void;
  become: (user: string) => void;
};

export function Sidebar(props: Props) {
  const { world, me, rooms, talk, at, unread, connected, open } = props;
  const words = useWords();
  const direct = world.channels.filter((channel) => channel.is_im && channel.members.includes(me.id) && channel.id !== talk?.id);
  const row = (channel: Channel) => {
    const fresh = unread.has(channel.id);
    const outside = !channel.is_im && !channel.members.includes(me.id);
    return (
      <li key={channel.id}>
        <button
          type="button"
          className={`side-row ${fresh ? "unread" : ""} ${outside ? "outside" : ""}`}
          aria-current={at === channel.id ? "page" : undefined}
          data-channel={channel.id}
          onClick={() => open(channel.id)}
        >
          {channel.is_im ? <Avatar user={other(world, channel, me.id)} world={world} size={20} /> : channel.is_private ? <Lock /> : <Hash />}
          <span className="side-name">{channel.is_im ? other(world, channel, me.id)?.real_name : channel.name}</span>
          {fresh && <span className="badge" role="img" aria-label={words.unread} />}
        </button>
      </li>
    );
  };
  return (
    <nav className="side" aria-label={world.team.name}>
      <header className="side-head">
        <h1>{world.team.name}</h1>
        <ThemeButton {...props} />
      </header>
      <Switcher {...props} />
      <div className="side-lists">
        <h2>{words.channels}</h2>
        <ul>{rooms.map(row)}</ul>
        {direct.length > 0 && (
          <>
            <h2>{words.direct}</h2>
            <ul>{direct.map(row)}</ul>
          </>
        )}
        <h2>{words.apps}</h2>
        <ul>
          <li>
            <button
              type="button"
              className={`side-row ${talk && unread.has(talk.id) ? "unread" : ""}`}
              aria-current={at === HOME || at === talk?.id ? "page" : undefined}
              data-channel={HOME}
              onClick={() => open(talk && unread.has(talk.id) ? talk.id : HOME)}
            >
              <Avatar user={undefined} world={world} size={20} />
              <span className="side-name">{world.app.name}</span>
              {talk && unread.has(talk.id) && <span className="badge" role="img" aria-label={words.unread} />}
            </button>
          </li>
        </ul>
      </div>
      <p className={`link ${connected ? "on" : "off"}`} role="status">
        <span className="dot" />
        {connected ? words.connected(world.app.name) : words.notConnected(world.app.name)}
      </p>
    </nav>
  );
}

/** "You are: …": everybody of the playground's company, to see it with their eyes. */
function Switcher({ world, me, people, become }: Props) {
  const words = useWords();
  const popover = usePopover();
  return (
    <div className="switcher">
      <button type="button" className="switcher-button" aria-haspopup="menu" {...popover.buttonProps}>
        <Avatar user={me} world={world} size={36} />
        <span>
          <small>{words.you}</small>
          <strong>{me.real_name}</strong>
        </span>
        <Chevron />
      </button>
      <div className="menu" role="menu" aria-label={words.you} {...popover.panelProps}>
        {popover.open &&
          people.map((user) => (
            <button
              key={user.id}
              type="button"
              role="menuitemradio"
              aria-checked={user.id === me.id}
              className="menu-item"
              data-user={user.id}
              onClick={() => {
                popover.hide();
                become(user.id);
              }}
            >
              <Avatar user={user} world={world} size={24} />
              <span>
                {user.real_name}
                <small>{[user.role && (words.roles[user.role] ?? user.role), user.tz, user.locale].filter(Boolean).join(" · ")}</small>
              </span>
              {user.id === me.id && <Check />}
            </button>
          ))}
      </div>
    </div>
  );
}

const NEXT: Record<ThemeChoice, ThemeChoice> = { system: "light", light: "dark", dark: "system" };

function ThemeButton({ choice, choose }: Props) {
  const words = useWords();
  const name = { system: words.auto, light: words.light, dark: words.dark }[choice];
  return (
    <button type="button" className="icon-button theme" title={`${words.theme}: ${name}`} aria-label={`${words.theme}: ${name}`} onClick={() => choose(NEXT[choice])}>
      {choice === "system" ? <Screen /> : choice === "light" ? <Sun /> : <Moon />}
    </button>
  );
}
