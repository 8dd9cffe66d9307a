import { useEffect, useId, useRef, useState, type KeyboardEvent } from "react";
import { Check, Chevron, Cross } from "../icons";
import { usePopover } from "../popover";
import { useWords } from "../words";

export type Choice = { id: string; label: string; hint?: string; group?: string };

type Props = {
  label: string;
  placeholder: string;
  chosen: Choice[];
  multi?: boolean;
  disabled?: boolean;
  busy?: boolean;
  invalid?: boolean;
  describedBy?: string;
  choices?: Choice[];
  load?: (typed: string) => Promise<Choice[]>;
  minLength?: number;
  onChoose: (chosen: Choice[]) => void;
};

const plain = (text: string) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();

/** A searchable list of choices: Slack's select and multi-select menus, from given choices or loaded as one types. */
export function SelectMenu(props: Props) {
  const words = useWords();
  const popover = usePopover();
  const [typed, setTyped] = useState("");
  const [at, setAt] = useState(0);
  const [loaded, setLoaded] = useState<Choice[] | null>(null);
  const list = useId();
  const search = useRef<HTMLInputElement>(null);
  const { load, minLength = 0, multi, chosen } = props;

  useEffect(() => {
    if (popover.open) search.current?.focus();
    else setTyped("");
  }, [popover.open]);

  useEffect(() => {
    if (!load || !popover.open || typed.length < minLength) return;
    let stale = false;
    const timer = setTimeout(async () => {
      const found = await load(typed).catch(() => []);
      if (!stale) setLoaded(found);
    }, 150);
    return () => {
      stale = true;
      clearTimeout(timer);
    };
  }, [load, typed, popover.open, minLength]);

  const shown = load
    ? (loaded ?? [])
    : (props.choices ?? []).filter((choice) => plain(choice.label).includes(plain(typed)));
  const taken = new Set(chosen.map((choice) => choice.id));
  useEffect(() => setAt(0), [typed, loaded]);
  useEffect(() => popover.place(), [shown.length, popover.place]);

  const take = (choice: Choice) => {
    if (!multi) {
      popover.hide();
      popover.button.current?.focus();
      props.onChoose([choice]);
    } else if (taken.has(choice.id)) props.onChoose(chosen.filter((item) => item.id !== choice.id));
    else props.onChoose([...chosen, choice]);
  };

  const onKey = (event: KeyboardEvent) => {
    if (event.key === "ArrowDown") setAt(Math.min(at + 1, shown.length - 1));
    else if (event.key === "ArrowUp") setAt(Math.max(at - 1, 0));
    else if (event.key === "Enter" && shown[at]) take(shown[at]);
    else return;
    event.preventDefault();
  };

  const shownText = chosen.length && !multi ? chosen[0].label : props.placeholder;
  const waiting = load && (typed.length < minLength || loaded === null);
  return (
    <span className={`select ${multi ? "multi" : ""}`}>
      {multi &&
        chosen.map((choice) => (
          <span key={choice.id} className="chip">
            {choice.label}
            <button type="button" aria-label={words.remove(choice.label)} onClick={() => take(choice)}>
              <Cross />
            </button>
          </span>
        ))}
      <button
        type="button"
        className="select-button"
        aria-label={shownText === props.label ? shownText : `${props.label}: ${shownText}`}
        aria-haspopup="listbox"
        aria-invalid={props.invalid || undefined}
        aria-describedby={props.describedBy}
        disabled={props.disabled}
        {...popover.buttonProps}
      >
        <span className={chosen.length && !multi ? "" : "placeholder"}>
          {shownText}
        </span>
        {props.busy ? <span className="spinner" /> : <Chevron />}
      </button>
      <div className="menu" {...popover.panelProps}>
        {popover.open && (
          <>
            <input
              ref={search}
              className="menu-search"
              role="combobox"
              aria-expanded
              aria-controls={list}
              aria-activedescendant={shown[at] ? `${list}-${at}` : undefined}
              aria-label={words.search}
              placeholder={words.search}
              value={typed}
              onChange={(event) => setTyped(event.target.value)}
              onKeyDown={onKey}
            />
            <div role="listbox" id={list} aria-label={props.label} aria-multiselectable={multi || undefined}>
              {shown.map((choice, index) => (
                <div key={choice.id} role="presentation">
                  {choice.group && choice.group !== shown[index - 1]?.group && <div className="menu-group">{choice.group}</div>}
                  <div
                    role="option"
                    id={`${list}-${index}`}
                    aria-selected={taken.has(choice.id)}
                    className={`menu-item ${index === at ? "at" : ""}`}
                    onPointerMove={() => setAt(index)}
                    onClick={() => take(choice)}
                  >
                    <span>
                      {choice.label}
                      {choice.hint && <small>{choice.hint}</small>}
                    </span>
                    {taken.has(choice.id) && <Check />}
                  </div>
                </div>
              ))}
            </div>
            {shown.length === 0 && (
              <div className="menu-none">{typed.length < minLength ? words.search : waiting ? words.loading : words.nothingFound}</div>
            )}
          </>
        )}
      </div>
    </span>
  );
}
