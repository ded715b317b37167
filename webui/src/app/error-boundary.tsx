import { Component, type ReactNode } from "react";
import { Button } from "../ui/button.tsx";
import { Empty } from "../ui/parts.tsx";

/** What is shown when the app itself fails: what happened, what it means, what to do. */
export class ErrorBoundary extends Component<{ children: ReactNode }, { failed: boolean }> {
  override state = { failed: false };

  static getDerivedStateFromError(): { failed: boolean } {
    return { failed: true };
  }

  override render(): ReactNode {
    if (!this.state.failed) return this.props.children;
    return (
      <Empty
        title="This page stopped working"
        actions={
          <Button kind="pri" onClick={() => location.reload()}>
            Reload
          </Button>
        }
      >
        Nothing you sent is lost: unsent messages and drafts are kept on this device.
      </Empty>
    );
  }
}
