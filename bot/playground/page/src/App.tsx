import { useCallback, useEffect, useMemo, useState } from "react";
import { readWorld } from "./api";
import { AppRoom } from "./AppRoom";
import { PaperContext } from "./blocks/state";
import { ConfirmArea } from "./Confirm";
import { Conversation } from "./Conversation";
import { Live, LiveContext, useLive } from "./live";
import { ModalStack } from "./Modal";
import { appTalk } from "./names";
import { usePlace, useTheme } from "./place";
import { Sidebar } from "./Sidebar";
import { Thread } from "./Thread";
import { ToastArea } from "./Toasts";
import type { World } from "./types";
import { wordsFor, WordsContext } from "./words";

export const HOME = "home";
const PHONE = "(max-width: 720px)";

const live = new Live();

export function App() {
  const [world, setWorld] = useState<World | null>(null);
  const reload = useCallback(() => readWorld().then(setWorld, () => setTimeout(reload, 1000)), []);
  useEffect(() => {
    void reload();
  }, [reload]);
  if (!world) return <div className="loading" aria-busy="true" />;
  return (
    <LiveContext value={live}>
      <Page world={world} reload={reload} />
    </LiveContext>
  );
}

function Page({ world, reload }: { world: World; reload: () => void }) {
  const [place, go] = usePlace();
  const [choice, theme, choose] = useTheme();
  const [thread, setThread] = useState<string | null>(null);
  const [side, setSide] = useState(() => matchMedia(PHONE).matches && location.hash.split("/").length < 3);
  const [unread, setUnread] = useState<Set<string>>(new Set());
  const [linked, setLinked] = useState(true);

  const people = world.users.filter((user) => !user.is_bot);
  const me = people.find((user) => user.id === place.user) ?? people[0];
  const mine = world.channels.filter((channel) => !channel.is_private || channel.members.includes(me?.id));
  const rooms = mine.filter((channel) => !channel.is_im);
  const talk = me && appTalk(world, me.id);
  const channel =
    place.at === HOME ? undefined : (mine.find((item) => item.id === place.at) ?? rooms.find((item) => item.members.includes(me?.id)) ?? rooms[0] ?? talk);
  const at = channel?.id ?? HOME;
  const words = useMemo(() => wordsFor(me?.locale ?? navigator.language), [me?.locale]);
  const paper = useMemo(() => ({ world, theme }), [world, theme]);

  useEffect(() => (me ? live.open(me.id) : undefined), [me?.id]);
  useEffect(() => {
    document.documentElement.lang = words.locale;
    document.title = `${world.team.name} · ${world.app.name}`;
  }, [words, world]);
  useLive((event) => {
    if (event.type === "app" || event.type === "channel" || (event.type === "link" && live.linked)) reload();
    if (event.type === "link") setLinked(live.linked);
    const heard = event.channel;
    if ((event.type === "message" || event.type === "ephemeral") && heard && heard !== at) {
      if (!world.channels.some((item) => item.id === heard)) reload();
      setUnread((now) => new Set(now).add(heard));
    }
  });
  useEffect(() => {
    setUnread((now) => (now.has(at) ? new Set([...now].filter((id) => id !== at)) : now));
    setThread(null);
  }, [at, me?.id]);

  if (!me) return <p className="loading">{words.empty}</p>;
  const open = (next: string) => {
    go({ user: me.id, at: next });
    setSide(false);
  };
  const become = (user: string) => {
    const stays = channel && !channel.is_im && (!channel.is_private || channel.members.includes(user));
    const talkThere = appTalk(world, user);
    const inTalk = channel && talk && channel.id === talk.id && talkThere;
    go({ user, at: inTalk ? talkThere.id : at === HOME || stays ? at : "" });
    setUnread(new Set());
  };
  const pane = side ? "side" : thread ? "thread" : "main";
  const isApp = at === HOME || (talk !== undefined && at === talk.id);

  return (
    <WordsContext value={words}>
      <PaperContext value={paper}>
        <ToastArea>
          <ConfirmArea>
            <div className="page" data-pane={pane} data-user={me.id} data-at={at}>
              <Sidebar
                {...{ world, me, at, unread, open, become, people, choice, choose }}
                connected={world.app.connected && linked}
                talk={talk}
                rooms={rooms}
              />
              {isApp ? (
                <AppRoom {...{ world, me, at, open, talk, linked, reload }} back={() => setSide(true)} openThread={setThread} />
              ) : (
                channel && (
                  <Conversation
                    key={`${me.id} ${channel.id}`}
                    {...{ world, me, channel, linked, reload }}
                    back={() => setSide(true)}
                    openThread={setThread}
                  />
                )
              )}
              {thread && channel && (
                <Thread key={`${me.id} ${thread}`} {...{ world, me, channel }} thread_ts={thread} close={() => setThread(null)} />
              )}
            </div>
            <ModalStack me={me} />
          </ConfirmArea>
        </ToastArea>
      </PaperContext>
    </WordsContext>
  );
}
