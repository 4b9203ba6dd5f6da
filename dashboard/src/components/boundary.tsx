import { Component, type ComponentChildren } from "preact";
import { Button, Copy, PageHead } from "./basics";

interface BoundaryProps {
  children: ComponentChildren;
}

/** Shows what is wrong and what to do, in place of a page that has thrown an error while it was drawn. */
export class Boundary extends Component<BoundaryProps, { error?: unknown }> {
  override state: { error?: unknown } = {};

  static override getDerivedStateFromError(error: unknown): { error: unknown } {
    return { error };
  }

  override componentDidCatch(error: unknown): void {
    console.error(error);
  }

  override render() {
    const { error } = this.state;
    if (error === undefined) return this.props.children;
    const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    return (
      <div class="page">
        <PageHead title="This page cannot be shown" />
        <div class="note bad" role="alert">
          <p>
            <strong>The dashboard failed while it drew this page.</strong> <code>{text}</code>
          </p>
          <p>
            This is an error of the dashboard: your tasks fire as before. Try again. If that does not help, load the dashboard again, because it may be of another version than the scheduler. If the error comes back,
            report it with this text.
          </p>
          <div class="row">
            <Button kind="main" onClick={() => this.setState({ error: undefined })}>
              Try again
            </Button>
            <Button onClick={() => location.reload()}>Load the dashboard again</Button>
            <Copy text={error instanceof Error ? `${text}\n${error.stack ?? ""}\n${location.href}` : text} label="Copy the error" />
          </div>
        </div>
      </div>
    );
  }
}
