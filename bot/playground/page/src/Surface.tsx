import { useCallback, useEffect, useMemo, useState, type ReactNode } from "react";
import { sendAction } from "./api";
import { pendingKey, stateOf, SurfaceContext, type Surface } from "./blocks/state";
import { useLive } from "./live";
import { useToast } from "./Toasts";
import type { Block, Element, Origin, Values } from "./types";
import { useWords } from "./words";

type Props = { origin: Origin; blocks: Block[]; values: Values; setValues: (change: (values: Values) => Values) => void; errors?: Record<string, string>; disabled?: boolean; children: ReactNode };

const NO_ERRORS = {};
/** How long a control may look busy when the app takes an action and changes nothing. */
const PATIENCE_MS = 4000;

/** Gives the blocks inside it a place: where their actions go, what was typed in them, which one is waiting. */
export function SurfaceArea({ origin, blocks, values, setValues, errors = NO_ERRORS, disabled = false, children }: Props) {
  const toast = useToast();
  const words = useWords();
  const [pending, setPending] = useState<string | null>(null);
  useLive((event) => event.type !== "link" && setPending(null));
  useEffect(() => {
    if (pending === null) return;
    const timer = setTimeout(() => setPending(null), PATIENCE_MS);
    return () => clearTimeout(timer);
  }, [pending]);

  const setValue = useCallback(
    (block_id: string, element: Element, value: Record<string, any>) =>
      setValues((now) => ({ ...now, [block_id]: { ...now[block_id], [element.action_id ?? ""]: value } })),
    [setValues],
  );
  const act = async (block_id: string, element: Element, value: unknown, state?: Record<string, any>) => {
    setPending(pendingKey(block_id, element));
    const all = stateOf(blocks, values);
    if (state) (all[block_id] ??= {})[element.action_id ?? ""] = state;
    try {
      const reply = await sendAction(origin, block_id, element, value, all);
      if (reply.ok === false) throw new Error(reply.error);
    } catch (error) {
      setPending(null);
      const reason = error instanceof Error ? error.message : String(error);
      toast(words.actionFailed(words.reasons[reason] ?? reason));
    }
  };
  const surface: Surface = { origin, values, errors, pending, disabled, setValue, act };
  return <SurfaceContext value={surface}>{children}</SurfaceContext>;
}

/** The surface of a message or a Home tab: what was typed is forgotten when `version` changes. */
export function LooseSurface({ origin, blocks, version, children }: { origin: Origin; blocks: Block[]; version: string; children: ReactNode }) {
  const [held, setHeld] = useState<{ version: string; values: Values }>({ version, values: {} });
  const values = useMemo(() => (held.version === version ? held.values : {}), [held, version]);
  const setValues = useCallback(
    (change: (values: Values) => Values) =>
      setHeld((now) => ({ version, values: change(now.version === version ? now.values : {}) })),
    [version],
  );
  return (
    <SurfaceArea origin={origin} blocks={blocks} values={values} setValues={setValues}>
      {children}
    </SurfaceArea>
  );
}
