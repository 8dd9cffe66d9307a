import { useCallback, useId } from "react";
import { readOptions } from "../api";
import { useConfirm } from "../Confirm";
import { Dots } from "../icons";
import { usePopover } from "../popover";
import type { Element, Option, User } from "../types";
import { useWords } from "../words";
import { Field } from "./Field";
import { SelectMenu, type Choice } from "./SelectMenu";
import { bareValue, initialState, optionsOf, pendingKey, usePaper, useSurface } from "./state";
import { Text } from "./Text";

export type ControlProps = {
  block_id: string;
  element: Element;
  label?: string;
  /** Inside an input block: a change is remembered, and reported only where the block says so. */
  quiet?: boolean;
  invalid?: boolean;
  describedBy?: string;
};

/** The state of one element, and how to change it: remembered at once, and reported to the app unless `quiet`. */
export function useControl({ block_id, element, quiet }: ControlProps) {
  const surface = useSurface();
  const confirm = useConfirm();
  const state = surface.values[block_id]?.[element.action_id ?? ""] ?? initialState(element) ?? {};
  const change = async (part: Record<string, any>, value?: unknown) => {
    if (!quiet && element.confirm && !(await confirm(element.confirm))) return;
    const next = { type: element.type, ...part };
    surface.setValue(block_id, element, next);
    if (!quiet) surface.act(block_id, element, value === undefined ? bareValue(next) : value, next);
  };
  return { surface, state, change, busy: surface.pending === pendingKey(block_id, element) };
}

export function Control(props: ControlProps) {
  const { element } = props;
  const type = element.type;
  if (type === "button" || type === "workflow_button") return <Button {...props} />;
  if (type === "overflow") return <Overflow {...props} />;
  if (type === "checkboxes" || type === "radio_buttons") return <Choices {...props} />;
  if (type.endsWith("_select")) return <Select {...props} />;
  return <Field {...props} />;
}

function Button({ block_id, element }: ControlProps) {
  const surface = useSurface();
  const confirm = useConfirm();
  const busy = surface.pending === pendingKey(block_id, element);
  const press = async () => {
    if (element.confirm && !(await confirm(element.confirm))) return;
    if (/^https?:/i.test(element.url ?? "")) window.open(element.url, "_blank", "noopener,noreferrer");
    surface.act(block_id, element, undefined);
  };
  return (
    <button
      type="button"
      className={`button ${element.style ?? ""}`}
      aria-label={element.accessibility_label}
      aria-busy={busy}
      disabled={surface.disabled || busy}
      data-action-id={element.action_id}
      onClick={press}
    >
      {busy && <span className="spinner" />}
      <Text text={element.text} />
    </button>
  );
}

function Overflow(props: ControlProps) {
  const { block_id, element } = props;
  const surface = useSurface();
  const confirm = useConfirm();
  const words = useWords();
  const popover = usePopover();
  const busy = surface.pending === pendingKey(block_id, element);
  const take = async (option: Option & { url?: string }) => {
    popover.hide();
    if (element.confirm && !(await confirm(element.confirm))) return;
    if (/^https?:/i.test(option.url ?? "")) window.open(option.url, "_blank", "noopener,noreferrer");
    surface.act(block_id, element, option.value);
  };
  return (
    <>
      <button type="button" className="button square" aria-label={words.more} aria-haspopup="menu" disabled={surface.disabled} data-action-id={element.action_id} {...popover.buttonProps}>
        {busy ? <span className="spinner" /> : <Dots />}
      </button>
      <div className="menu" role="menu" {...popover.panelProps}>
        {popover.open &&
          optionsOf(element).map((option) => (
            <button key={option.value} type="button" role="menuitem" className="menu-item" onClick={() => take(option)}>
              {option.text.text}
            </button>
          ))}
      </div>
    </>
  );
}

function Choices(props: ControlProps) {
  const { element } = props;
  const { state, change, surface } = useControl(props);
  const group = useId();
  const many = element.type === "checkboxes";
  const chosen: Option[] = many ? (state.selected_options ?? []) : state.selected_option ? [state.selected_option] : [];
  const take = (option: Option, on: boolean) => {
    if (!many) return change({ selected_option: option });
    const rest = chosen.filter((item) => item.value !== option.value);
    const next = optionsOf(element).filter((item) => (item.value === option.value ? on : rest.some((r) => r.value === item.value)));
    return change({ selected_options: next });
  };
  return (
    <div className="choices" role={many ? "group" : "radiogroup"} aria-label={props.label} aria-describedby={props.describedBy}>
      {optionsOf(element).map((option) => (
        <label key={option.value} className="choice">
          <input
            type={many ? "checkbox" : "radio"}
            name={group}
            disabled={surface.disabled}
            checked={chosen.some((item) => item.value === option.value)}
            onChange={(event) => take(option, event.target.checked)}
          />
          <span>
            <Text text={option.text} />
            {option.description && <small>{option.description.text}</small>}
          </span>
        </label>
      ))}
    </div>
  );
}

const choiceOf = (option: Option, group?: string): Choice => ({ id: option.value, label: option.text.text, hint: option.description?.text, group });

function Select(props: ControlProps) {
  const { element, block_id } = props;
  const words = useWords();
  const { surface, state, change, busy } = useControl(props);
  const { world } = usePaper();
  const { origin } = surface;
  const multi = element.type.startsWith("multi_");
  const kind = element.type.replace("multi_", "").replace("_select", "");
  const load = useCallback(
    async (typed: string) => (await readOptions(origin, block_id, element, typed)).map((option) => ({ ...choiceOf(option), option })),
    // The element is plain data: it is the same as long as its text is.
    [JSON.stringify(origin), block_id, JSON.stringify(element)],
  );

  const people = (): Choice[] => world.users.map((user: User) => ({ id: user.id, label: user.real_name, hint: `@${user.name}` }));
  const rooms = (): Choice[] =>
    world.channels
      .filter((channel) => !channel.is_im && (!channel.is_private || channel.members.includes(origin.user)))
      .map((channel) => ({ id: channel.id, label: `# ${channel.name}` }));
  const talks = (): Choice[] => {
    const direct = world.channels
      .filter((channel) => channel.is_im && channel.members.includes(origin.user))
      .map((channel) => {
        const other = world.users.find((user) => user.id === channel.members.find((member) => member !== origin.user));
        return { id: channel.id, label: other?.real_name ?? channel.id };
      });
    const include: string[] = element.filter?.include ?? ["public", "private", "im"];
    const kept = rooms().filter((room) => {
      const channel = world.channels.find((item) => item.id === room.id);
      return include.includes(channel?.is_private ? "private" : "public") && !(element.filter?.exclude_external_shared_channels && channel?.is_ext_shared);
    });
    return [...kept, ...(include.includes("im") ? direct : [])];
  };
  const given = (): Choice[] =>
    element.option_groups
      ? element.option_groups.flatMap((group: any) => group.options.map((option: Option) => choiceOf(option, group.label.text)))
      : optionsOf(element).map((option) => choiceOf(option));

  const [choices, key] = (
    { users: [people, "selected_user"], channels: [rooms, "selected_channel"], conversations: [talks, "selected_conversation"] } as Record<string, [() => Choice[], string]>
  )[kind] ?? [given, "selected_option"];
  const byOption = key === "selected_option";
  const all = kind === "external" ? [] : choices();

  const raw = multi ? (state[`${key}s`] ?? []) : state[key] ? [state[key]] : [];
  const chosen: Choice[] = raw.map((item: any) =>
    byOption ? choiceOf(item) : (all.find((choice) => choice.id === item) ?? { id: item, label: item }),
  );
  const take = (next: Choice[]) => {
    const limited = element.max_selected_items ? next.slice(0, element.max_selected_items) : next;
    const known: Option[] = [...optionsOf(element), ...(byOption ? raw : [])];
    const values = limited.map((choice) =>
      byOption ? ((choice as any).option ?? known.find((option) => option.value === choice.id)) : choice.id,
    );
    void change(multi ? { [`${key}s`]: values } : { [key]: values[0] ?? null });
  };
  return (
    <SelectMenu
      label={props.label ?? element.placeholder?.text ?? words.choose}
      placeholder={element.placeholder?.text ?? words.choose}
      chosen={chosen}
      multi={multi}
      busy={busy}
      disabled={surface.disabled}
      invalid={props.invalid}
      describedBy={props.describedBy}
      choices={all}
      load={kind === "external" ? load : undefined}
      minLength={kind === "external" ? (element.min_query_length ?? 3) : 0}
      onChoose={take}
    />
  );
}
