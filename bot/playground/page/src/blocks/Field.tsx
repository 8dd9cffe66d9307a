import { useEffect, useRef, useState, type KeyboardEvent } from "react";
import { useWords } from "../words";
import { type ControlProps, useControl } from "./Controls";
import { pendingKey } from "./state";

const KINDS: Record<string, { input: string; key: string; mode?: "decimal" | "numeric" }> = {
  plain_text_input: { input: "text", key: "value" },
  email_text_input: { input: "email", key: "value" },
  url_text_input: { input: "url", key: "value" },
  number_input: { input: "text", key: "value", mode: "decimal" },
  datepicker: { input: "date", key: "selected_date" },
  timepicker: { input: "time", key: "selected_time" },
  datetimepicker: { input: "datetime-local", key: "selected_date_time" },
};

const pad = (number: number) => String(number).padStart(2, "0");
/** Slack holds date and time as Unix seconds; the browser's field as local text. */
const toLocal = (seconds: number) => {
  const date = new Date(seconds * 1000);
  return `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())}T${pad(date.getHours())}:${pad(date.getMinutes())}`;
};

/** Text, number, date and time elements. What is typed counts at once; the app hears of it on Enter or when the field is left. */
export function Field(props: ControlProps) {
  const { element, block_id, quiet } = props;
  const kind = KINDS[element.type];
  const words = useWords();
  const { surface, state, change, busy } = useControl(props);
  const held = kind ? state[kind.key] : null;
  const outside = held == null ? "" : element.type === "datetimepicker" ? toLocal(held) : String(held);
  const [typed, setTyped] = useState(outside);
  const field = useRef<HTMLInputElement & HTMLTextAreaElement>(null);
  const told = useRef(outside);

  useEffect(() => {
    if (document.activeElement !== field.current) setTyped(outside);
  }, [outside]);
  useEffect(() => {
    if (element.focus_on_load) field.current?.focus();
  }, [element.focus_on_load]);
  if (!kind) return null;

  const held_as = (text: string) => {
    if (text === "") return null;
    if (element.type === "datetimepicker") return Math.floor(new Date(text).getTime() / 1000);
    return element.type === "number_input" ? text.trim().replace(",", ".") : text;
  };
  const tell = () => {
    if (quiet || typed === told.current) return;
    told.current = typed;
    void change({ [kind.key]: held_as(typed) });
  };
  const edit = (text: string) => {
    setTyped(text);
    surface.setValue(block_id, element, { type: element.type, [kind.key]: held_as(text) });
  };
  const onKey = (event: KeyboardEvent) => {
    if (event.key === "Enter" && !element.multiline) tell();
  };
  const shared = {
    ref: field,
    className: "field",
    value: typed,
    placeholder: element.placeholder?.text,
    maxLength: element.max_length,
    "aria-label": props.label ?? element.placeholder?.text ?? { date: words.date, time: words.time }[kind.input] ?? words.value,
    "aria-invalid": props.invalid || undefined,
    "aria-describedby": props.describedBy,
    "data-action-id": element.action_id,
    disabled: surface.disabled || surface.pending === pendingKey(block_id, element),
    onChange: (event: { target: { value: string } }) => edit(event.target.value),
    onBlur: tell,
    onKeyDown: onKey,
  };
  return (
    <span className={`field-wrap ${kind.input}`}>
      {element.multiline ? <textarea rows={4} {...shared} /> : <input type={kind.input} inputMode={kind.mode} {...shared} />}
      {busy && <span className="spinner" />}
    </span>
  );
}
