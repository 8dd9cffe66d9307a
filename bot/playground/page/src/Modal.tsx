import { useCallback, useEffect, useRef, useState } from "react";
import { closeView, readStack, submitView } from "./api";
import { Blocks } from "./blocks/Blocks";
import { bareValue, stateOf } from "./blocks/state";
import { Cross } from "./icons";
import { useLive } from "./live";
import { SurfaceArea } from "./Surface";
import { useToast } from "./Toasts";
import type { Block, User, Values, View } from "./types";
import { type Words, useWords } from "./words";

/** The open modals of a person; only the top one is seen. */
export function ModalStack({ me }: { me: User }) {
  const [stack, setStack] = useState<View[]>([]);
  const read = useCallback(() => readStack(me.id).then(setStack, () => undefined), [me.id]);
  useEffect(() => {
    setStack([]);
    void read();
  }, [read]);
  useLive((event) => {
    if (event.type === "view" || event.type === "link") void read();
  });
  const view = stack.at(-1);
  return view ? <Modal key={view.id} view={view} me={me} read={read} /> : null;
}

function Modal({ view, me, read }: { view: View; me: User; read: () => Promise<void> }) {
  const words = useWords();
  const toast = useToast();
  const dialog = useRef<HTMLDialogElement>(null);
  const [values, setValues] = useState<Values>({});
  const [errors, setErrors] = useState<Record<string, string>>({});
  const [busy, setBusy] = useState(false);
  useEffect(() => {
    const opened = dialog.current;
    opened?.showModal();
    // Closing it, and not only dropping it, gives the focus back to where it was.
    return () => opened?.close();
  }, []);
  useEffect(() => setErrors(view.errors ?? {}), [view.errors]);

  const show = (found: Record<string, string>) => {
    setErrors(found);
    const first = view.blocks.find((block) => block.block_id && block.block_id in found);
    const place = first && dialog.current?.querySelector(`[data-block-id="${CSS.escape(first.block_id ?? "")}"]`);
    place?.scrollIntoView({ block: "center" });
    place?.querySelector<HTMLElement>("input, textarea, button")?.focus();
  };
  const close = async () => {
    await closeView(me.id, view.id).catch((error: Error) => toast(error.message));
    await read();
  };
  const submit = async () => {
    if (busy) return;
    const state = stateOf(view.blocks, values);
    const wrong = check(view.blocks, state, words);
    if (Object.keys(wrong).length) return show(wrong);
    setBusy(true);
    try {
      const reply = await submitView(me.id, view.id, state);
      if (reply.errors) show(reply.errors);
      else if (reply.ok === false) throw new Error(reply.error);
      else setErrors({});
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      toast(words.actionFailed(words.reasons[reason] ?? reason));
    } finally {
      setBusy(false);
      await read();
    }
  };
  return (
    <dialog
      ref={dialog}
      className="modal"
      aria-labelledby="modal-title"
      onCancel={(event) => {
        if (event.target !== dialog.current) return;
        event.preventDefault();
        void close();
      }}
    >
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void submit();
        }}
      >
        <header className="dialog-head">
          <img src="/assets/vigie.svg" alt="" width={28} height={28} />
          <h2 id="modal-title">{view.title?.text}</h2>
          <button type="button" className="icon-button" aria-label={words.close} onClick={close}>
            <Cross />
          </button>
        </header>
        <div className="dialog-body">
          <SurfaceArea origin={{ user: me.id, view_id: view.id }} blocks={view.blocks} values={values} setValues={setValues} errors={errors}>
            <Blocks blocks={view.blocks} />
          </SurfaceArea>
        </div>
        <footer className="dialog-foot">
          <button type="button" className="button" onClick={close}>
            {view.close?.text ?? (view.submit ? words.cancel : words.close)}
          </button>
          {view.submit && (
            <button type="submit" className="button primary" aria-busy={busy} disabled={busy}>
              {busy && <span className="spinner" />}
              {view.submit.text}
            </button>
          )}
        </footer>
      </form>
    </dialog>
  );
}

/** What Slack's own clients check before they send a form: required fields, and the bounds of numbers. */
function check(blocks: Block[], state: Values, words: Words): Record<string, string> {
  const wrong: Record<string, string> = {};
  for (const [index, block] of blocks.entries()) {
    if (block.type !== "input") continue;
    const block_id = block.block_id ?? `block-${index}`;
    const element = block.element;
    const value = bareValue(state[block_id]?.[element.action_id ?? ""] ?? null);
    const empty = value === null || value === "" || (Array.isArray(value) && value.length === 0);
    if (empty) {
      if (!block.optional) wrong[block_id] = words.required;
    } else if (element.type === "number_input") {
      const number = Number(value);
      if (Number.isNaN(number)) wrong[block_id] = words.number;
      else if (element.min_value !== undefined && number < Number(element.min_value)) wrong[block_id] = words.atLeast(element.min_value);
      else if (element.max_value !== undefined && number > Number(element.max_value)) wrong[block_id] = words.atMost(element.max_value);
    }
  }
  return wrong;
}
