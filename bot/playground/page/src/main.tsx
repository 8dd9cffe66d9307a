import { createRoot } from "react-dom/client";
import "slack-blocks-to-jsx/dist/style.css";
import { App } from "./App";
import "./style/page.css";
import "./style/frame.css";
import "./style/messages.css";
import "./style/blocks.css";
import "./style/dialogs.css";

createRoot(document.getElementById("root") as HTMLElement).render(<App />);
