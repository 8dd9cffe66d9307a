import type { Block } from "../types";
import { Shown } from "./Text";

export function Chart({ block }: { block: Block }) {
  return <Shown blocks={[block]} />;
}
