import { useLayoutEffect, useId, useRef, useState, type KeyboardEvent } from "react";
import { sendCommand, sendMessage } from "./api";
import { Avatar } from "./Avatar";
import { Send } from "./icons";
import { written } from "./names";
import { useToast } from "./Toasts";
import type { User, World } from "./types";
import { useWords } from "./words";

type Props = { world: World; me: User; channel: string; placeholder: string; thread_ts?: string };
type Suggestion = { key: string; insert: string; title: string; hint: string; user?: User };

const plain = (text: string) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();

/** The message field: Enter sends, Shift+Enter starts a line, "/" proposes commands and "@" people. */
export function Composer({ world, me, channel, placeholder, thread_ts }: Props) {
  const words = useWords();
  const toast = useToast();
  const list = useId();
  const field = useRef<HTMLTextAreaElement>(null);
  const [text, setText] = useState("");
  const [caret, setCaret] = useState(0);
  const [at, setAt] = useState(0);
  const [closed, setClosed] = useState(false);
  const [busy, setBusy] = useState(false);

  useLayoutEffect(() => {
    if (!field.current) return;
    field.current.style.height = "auto";
    field.current.style.height = `${Math.min(field.current.scrollHeight, 180)}px`;
  }, [text]);

  const suggestions = closed ? [] : suggest(world, text, caret, thread_ts !== undefined);
  const picked = suggestions[Math.min(at, suggestions.length - 1)];

  const edit = (next: string, position: number) => {
    setText(next);
    setCaret(position);
    setAt(0);
    setClosed(false);
  };
  const complete = (suggestion: Suggestion) => {
    const start = text.slice(0, caret).search(/[@/][^\s@]*(?: [^\s@]*)?$/);
    const before = text.slice(0, Math.max(start, 0)) + suggestion.insert;
    edit(before + text.slice(caret), before.length);
    setClosed(true);
    field.current?.focus();
  };
  const send = async () => {
    const typed = text.trim();
    if (!typed || busy) return;
    const command = /^\/\S/.test(typed) ? typed.split(/\s/)[0] : null;
    if (command && thread_ts) return toast(words.failed(command, "not_supported_in_threads"));
    setBusy(true);
    edit("", 0);
    try {
      const reply = command ? await sendCommand(me.id, channel, written(world, typed)) : await sendMessage(me.id, channel, written(world, typed), thread_ts);
      if (reply.ok === false) throw new Error(reply.error);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      toast([words.failed(command ?? words.send, reason), words.reasons[reason]].filter(Boolean).join(" "));
      setText((now) => now || typed);
    } finally {
      setBusy(false);
      field.current?.focus();
    }
  };
  const onKey = (event: KeyboardEvent<HTMLTextAreaElement>) => {
    if (event.nativeEvent.isComposing) return;
    if (picked && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
      const step = event.key === "ArrowDown" ? 1 : -1;
      setAt((Math.min(at, suggestions.length - 1) + step + suggestions.length) % suggestions.length);
    } else if (picked && (event.key === "Tab" || (event.key === "Enter" && text.trim() !== picked.insert.trim()))) complete(picked);
    else if (suggestions.length && event.key === "Escape") setClosed(true);
    else if (event.key === "Enter" && !event.shiftKey) void send();
    else return;
    event.preventDefault();
  };

  return (
    <form
      className="composer"
      onSubmit={(event) => {
        event.preventDefault();
        void send();
      }}
    >
      {suggestions.length > 0 && (
        <div className="suggestions" role="listbox" id={list} aria-label={suggestions[0].user ? words.people : words.commands}>
          {suggestions.map((suggestion, index) => (
            <div
              key={suggestion.key}
              id={`${list}-${index}`}
              role="option"
              aria-selected={suggestion === picked}
              className={`menu-item ${suggestion === picked ? "at" : ""}`}
              onPointerMove={() => setAt(index)}
              onPointerDown={(event) => {
                event.preventDefault();
                complete(suggestion);
              }}
            >
              <Avatar user={suggestion.user} world={world} size={24} />
              <span>
                <strong>{suggestion.title}</strong>
                <small>{suggestion.hint}</small>
              </span>
            </div>
          ))}
        </div>
      )}
      <textarea
        ref={field}
        rows={1}
        value={text}
        placeholder={placeholder}
        aria-label={placeholder}
        aria-controls={suggestions.length ? list : undefined}
        aria-activedescendant={picked ? `${list}-${suggestions.indexOf(picked)}` : undefined}
        data-composer={thread_ts ? "thread" : "channel"}
        onChange={(event) => edit(event.target.value, event.target.selectionStart)}
        onSelect={(event) => setCaret(event.currentTarget.selectionStart)}
        onKeyDown={onKey}
      />
      <button type="submit" className="send" aria-label={words.send} disabled={!text.trim() || busy}>
        {busy ? <span className="spinner" /> : <Send />}
      </button>
    </form>
  );
}

function suggest(world: World, text: string, caret: number, inThread: boolean): Suggestion[] {
  const before = text.slice(0, caret);
  if (!inThread && /^\/\S*$/.test(before)) {
    const commands = world.app.commands?.length ? world.app.commands : [{ command: "/kpi" }];
    return commands
      .filter((item) => item.command.startsWith(before))
      .map((item) => ({ key: item.command, insert: `${item.command} `, title: [item.command, item.usage_hint].filter(Boolean).join(" "), hint: item.description ?? world.app.name }));
  }
  const mention = before.match(/(?:^|\s)@([^\s@]*(?: [^\s@]*)?)$/)?.[1];
  if (mention === undefined) return [];
  return world.users
    .filter((user) => plain(user.real_name).startsWith(plain(mention)) || plain(user.name).startsWith(plain(mention)))
    .slice(0, 8)
    .map((user) => ({ key: user.id, insert: `@${user.real_name} `, title: user.real_name, hint: `@${user.name}`, user }));
}
