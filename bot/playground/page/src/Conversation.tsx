import { invite, remove } from "./api";
import { Avatar } from "./Avatar";
import { Composer } from "./Composer";
import { Check, Group, Hash, Left, Lock } from "./icons";
import { MessageList } from "./MessageList";
import { useMessages } from "./messages";
import { channelLabel, other, person } from "./names";
import { usePopover } from "./popover";
import { useToast } from "./Toasts";
import type { Channel, User, World } from "./types";
import { useWords } from "./words";

type Props = {
  world: World;
  me: User;
  channel: Channel;
  linked: boolean;
  reload: () => void;
  back: () => void;
  openThread: (ts: string) => void;
};

export function Conversation(props: Props) {
  const { world, me, channel, linked, reload, back, openThread } = props;
  const words = useWords();
  const toast = useToast();
  const messages = useMessages(me.id, channel.id);
  const member = channel.members.includes(me.id);
  const join = () => invite(channel.id, me.id).then(reload, (error: Error) => toast(error.message));
  return (
    <main className="main">
      <header className="head">
        <button type="button" className="icon-button back" aria-label={words.back} onClick={back}>
          <Left />
        </button>
        <h2>
          {channel.is_im ? <Avatar user={other(world, channel, me.id)} world={world} size={24} /> : channel.is_private ? <Lock /> : <Hash />}
          {channel.is_im ? channelLabel(world, channel, me.id) : channel.name}
        </h2>
        {channel.is_ext_shared && <span className="tag">{words.external}</span>}
        <p className="topic">{channel.topic}</p>
        {!channel.is_im && <Members {...props} />}
      </header>
      {!linked && <p className="banner">{words.noLink}</p>}
      <MessageList {...{ world, me, messages, openThread }} channel={channel.id} />
      {member ? (
        <Composer {...{ world, me }} channel={channel.id} placeholder={words.write(channelLabel(world, channel, me.id))} />
      ) : (
        <div className="join">
          <span>{words.notMember}</span>
          <button type="button" className="button primary" onClick={join}>
            {words.join}
          </button>
        </div>
      )}
    </main>
  );
}

/** Who is in the channel, and a switch that adds the app to it or takes it out. */
function Members({ world, channel, reload }: Props) {
  const words = useWords();
  const toast = useToast();
  const popover = usePopover();
  const { app } = world;
  const inside = channel.members.includes(app.bot_user);
  const change = () => {
    popover.hide();
    (inside ? remove : invite)(channel.id, app.bot_user).then(reload, (error: Error) => toast(error.message));
  };
  return (
    <>
      <button type="button" className="button members" aria-label={words.members(channel.members.length)} {...popover.buttonProps}>
        <Group />
        {channel.members.length}
      </button>
      <div className="menu" {...popover.panelProps}>
        {popover.open && (
          <>
            {!inside && <p className="menu-group">{words.appMissing(app.name)}</p>}
            {channel.members.map((id) => {
              const user = person(world, id);
              return (
                <div key={id} className="menu-line">
                  <Avatar user={id === app.bot_user ? undefined : user} world={world} size={24} />
                  <span>{user?.real_name ?? id}</span>
                  {id === app.bot_user && <Check />}
                </div>
              );
            })}
            <button type="button" className="menu-item strong" onClick={change}>
              {inside ? words.removeApp(app.name) : words.addApp(app.name)}
            </button>
          </>
        )}
      </div>
    </>
  );
}
