import { createContext, useContext } from "react";
import type { Block, Element, Option, Origin, Values, World } from "../types";

export type Theme = "light" | "dark";

/** What everything that shows text needs to know. */
export type Paper = { world: World; theme: Theme };
export const PaperContext = createContext<Paper | null>(null);

export function usePaper(): Paper {
  const paper = useContext(PaperContext);
  if (!paper) throw new Error("text stands outside of the page");
  return paper;
}

/** What every control needs to know of the surface it stands on. */
export type Surface = {
  origin: Origin;
  values: Values;
  errors: Record<string, string>;
  pending: string | null;
  disabled: boolean;
  setValue: (block_id: string, element: Element, value: Record<string, any>) => void;
  act: (block_id: string, element: Element, value: unknown, state?: Record<string, any>) => void;
};

export const SurfaceContext = createContext<Surface | null>(null);

export function useSurface(): Surface {
  const surface = useContext(SurfaceContext);
  if (!surface) throw new Error("a block stands outside of any surface");
  return surface;
}

export const pendingKey = (block_id: string, element: Element) => `${block_id}\n${element.action_id ?? ""}`;

/** The state Slack would report for an element nobody has touched; null for elements without state (buttons, images). */
export function initialState(element: Element): Record<string, any> | null {
  const type = element.type;
  switch (type) {
    case "plain_text_input":
    case "number_input":
    case "email_text_input":
    case "url_text_input":
      return { type, value: element.initial_value ?? null };
    case "static_select":
    case "external_select":
    case "radio_buttons":
      return { type, selected_option: element.initial_option ?? null };
    case "users_select":
      return { type, selected_user: element.initial_user ?? null };
    case "channels_select":
      return { type, selected_channel: element.initial_channel ?? null };
    case "conversations_select":
      return { type, selected_conversation: element.initial_conversation ?? null };
    case "checkboxes":
    case "multi_static_select":
    case "multi_external_select":
      return { type, selected_options: element.initial_options ?? [] };
    case "multi_users_select":
      return { type, selected_users: element.initial_users ?? [] };
    case "multi_channels_select":
      return { type, selected_channels: element.initial_channels ?? [] };
    case "multi_conversations_select":
      return { type, selected_conversations: element.initial_conversations ?? [] };
    case "datepicker":
      return { type, selected_date: element.initial_date ?? null };
    case "timepicker":
      return { type, selected_time: element.initial_time ?? null };
    case "datetimepicker":
      return { type, selected_date_time: element.initial_date_time ?? null };
    default:
      return null;
  }
}

const STATE_KEYS = [
  "value",
  "selected_option",
  "selected_user",
  "selected_channel",
  "selected_conversation",
  "selected_options",
  "selected_users",
  "selected_channels",
  "selected_conversations",
  "selected_date",
  "selected_time",
  "selected_date_time",
];

/** The bare value inside a state: a text, an id, an option's value, or a list of them; null when empty. */
export function bareValue(state: Record<string, any> | null): any {
  if (!state) return null;
  for (const key of STATE_KEYS) {
    if (!(key in state)) continue;
    const value = state[key];
    if (Array.isArray(value)) return value.map((item) => (typeof item === "object" ? item.value : item));
    if (value !== null && typeof value === "object") return value.value;
    return value;
  }
  return null;
}

export const elementsOf = (block: Block): Element[] => {
  if (block.type === "input") return [block.element];
  if (block.type === "section" && block.accessory) return [block.accessory];
  return block.type === "actions" ? block.elements : [];
};

/** `state.values` of a whole surface: what was typed over what the blocks say at first. */
export function stateOf(blocks: Block[], typed: Values): Values {
  const values: Values = {};
  for (const [index, block] of blocks.entries()) {
    const block_id = block.block_id ?? `block-${index}`;
    for (const element of elementsOf(block)) {
      const state = typed[block_id]?.[element.action_id ?? ""] ?? initialState(element);
      if (state) (values[block_id] ??= {})[element.action_id ?? ""] = state;
    }
  }
  return values;
}

export const optionsOf = (element: Element): Option[] =>
  element.options ?? (element.option_groups ?? []).flatMap((group: { options: Option[] }) => group.options);
