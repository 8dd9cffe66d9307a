import { useCallback, useEffect, useState } from "react";
import { openHome, readHome } from "./api";
import { HOME } from "./App";
import { Avatar } from "./Avatar";
import { Blocks } from "./blocks/Blocks";
import { Composer } from "./Composer";
import { Left } from "./icons";
import { useLive } from "./live";
import { MessageList } from "./MessageList";
import { useMessages } from "./messages";
import { LooseSurface } from "./Surface";
import type { Channel, User, View, World } from "./types";
import { useWords } from "./words";

type Props = {
  world: World;
  me: User;
  at: string;
  talk: Channel | undefined;
  linked: boolean;
  reload: () => void;
  open: (at: string) => void;
  back: () => void;
  openThread: (ts: string) => void;
};

/** The app's own place: its Home tab and the direct messages with it. */
export function AppRoom(props: Props) {
  const { world, me, at, talk, linked, reload, open, back } = props;
  const words = useWords();
  const tab = (id: string, name: string) => (
    <button type="button" role="tab" aria-selected={at === id} className="tab" onClick={() => open(id)}>
      {name}
    </button>
  );
  return (
    <main className="main">
      <header className="head">
        <button type="button" className="icon-button back" aria-label={words.back} onClick={back}>
          <Left />
        </button>
        <h2>
          <Avatar user={undefined} world={world} size={24} />
          {world.app.name}
        </h2>
        <span className="app-badge">{words.app}</span>
      </header>
      <div className="tabs" role="tablist">
        {tab(HOME, words.home)}
        {talk && tab(talk.id, words.messages)}
      </div>
      {!linked && <p className="banner">{words.noLink}</p>}
      {at === HOME ? <Home key={me.id} {...{ world, me }} opened={talk ? undefined : reload} /> : talk && <Talk key={talk.id} {...props} talk={talk} />}
    </main>
  );
}

function Talk({ world, me, talk, openThread }: Props & { talk: Channel }) {
  const words = useWords();
  const messages = useMessages(me.id, talk.id);
  return (
    <>
      <MessageList {...{ world, me, messages, openThread }} channel={talk.id} />
      <Composer {...{ world, me }} channel={talk.id} placeholder={words.write(world.app.name)} />
    </>
  );
}

/** The Home tab, asked for each time it is opened. `opened` hears of the first time, when the direct messages come to be. */
function Home({ world, me, opened }: { world: World; me: User; opened?: () => void }) {
  const words = useWords();
  const [view, setView] = useState<View | null | undefined>(undefined);
  const read = useCallback(() => readHome(me.id).then(setView, () => undefined), [me.id]);
  useEffect(() => {
    void openHome(me.id)
      .catch(() => undefined)
      .then(() => {
        opened?.();
        return read();
      });
    // Once for each person, whatever the world has become meanwhile.
  }, [me.id, read]);
  useLive((event) => {
    if (event.type === "home" || event.type === "link") void read();
  });
  return (
    <div className="home" aria-live="polite" tabIndex={0}>
      {view ? (
        <LooseSurface origin={{ user: me.id, view_id: view.id }} blocks={view.blocks} version={view.hash ?? ""}>
          <Blocks blocks={view.blocks} />
        </LooseSurface>
      ) : (
        view === null && <p className="list-empty">{words.emptyHome(world.app.name)}</p>
      )}
    </div>
  );
}
