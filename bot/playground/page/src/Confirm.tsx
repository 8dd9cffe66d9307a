import { createContext, useCallback, useContext, useEffect, useRef, useState, type ReactNode } from "react";
import { Text } from "./blocks/Text";
import { useWords } from "./words";

type Question = { title?: { text: string }; text?: { type: string; text: string }; confirm?: { text: string }; deny?: { text: string }; style?: string };

const ConfirmContext = createContext<(question: Question) => Promise<boolean>>(async () => true);
export const useConfirm = () => useContext(ConfirmContext);

/** Block Kit's confirm objects, asked in a dialog over everything else. */
export function ConfirmArea({ children }: { children: ReactNode }) {
  const words = useWords();
  const dialog = useRef<HTMLDialogElement>(null);
  const answer = useRef<(yes: boolean) => void>(() => {});
  const [question, setQuestion] = useState<Question | null>(null);
  const ask = useCallback((asked: Question) => {
    setQuestion(asked);
    return new Promise<boolean>((resolve) => {
      answer.current = resolve;
    });
  }, []);
  useEffect(() => {
    if (question) dialog.current?.showModal();
  }, [question]);
  const done = (yes: boolean) => {
    dialog.current?.close();
    setQuestion(null);
    answer.current(yes);
  };
  return (
    <ConfirmContext value={ask}>
      {children}
      {question && (
        <dialog ref={dialog} className="confirm" aria-labelledby="confirm-title" onCancel={() => done(false)}>
          <h2 id="confirm-title">{question.title?.text}</h2>
          {question.text && <Text text={question.text} />}
          <div className="dialog-foot">
            <button type="button" className="button" onClick={() => done(false)}>
              {question.deny?.text ?? words.cancel}
            </button>
            <button type="button" className={`button ${question.style ?? "primary"}`} onClick={() => done(true)}>
              {question.confirm?.text ?? "OK"}
            </button>
          </div>
        </dialog>
      )}
    </ConfirmContext>
  );
}
