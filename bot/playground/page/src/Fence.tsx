import { Component, type ReactNode } from "react";

/** Keeps a message that cannot be drawn from taking the page with it: `instead` is shown, and the console says why. */
export class Fence extends Component<{ instead: ReactNode; children: ReactNode }, { broken: boolean }> {
  state = { broken: false };

  static getDerivedStateFromError() {
    return { broken: true };
  }

  render() {
    return this.state.broken ? this.props.instead : this.props.children;
  }
}
