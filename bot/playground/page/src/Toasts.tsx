import { createContext, useCallback, useContext, useState, type ReactNode } from "react";
import { Cross } from "./icons";
import { useWords } from "./words";

const ToastContext = createContext<(text: string) => void>(() => {});
export const useToast = () => useContext(ToastContext);

const SHOWN_MS = 9000;

/** Short notes in a corner, for what went wrong outside of any message. */
export function ToastArea({ children }: { children: ReactNode }) {
  const words = useWords();
  const [toasts, setToasts] = useState<{ id: number; text: string }[]>([]);
  const drop = useCallback((id: number) => setToasts((now) => now.filter((toast) => toast.id !== id)), []);
  const add = useCallback(
    (text: string) => {
      const id = performance.now();
      setToasts((now) => [...now.filter((toast) => toast.text !== text).slice(-2), { id, text }]);
      setTimeout(() => drop(id), SHOWN_MS);
    },
    [drop],
  );
  return (
    <ToastContext value={add}>
      {children}
      <div className="toasts" role="alert">
        {toasts.map((toast) => (
          <div key={toast.id} className="toast">
            <span>{toast.text}</span>
            <button type="button" className="icon-button" aria-label={words.close} onClick={() => drop(toast.id)}>
              <Cross />
            </button>
          </div>
        ))}
      </div>
    </ToastContext>
  );
}
