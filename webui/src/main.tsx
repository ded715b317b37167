import "./ui/tokens.css";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { Session } from "./api/session.ts";
import { App } from "./app/app.tsx";
import { ErrorBoundary } from "./app/error-boundary.tsx";
import { applyAppearance } from "./state/appearance.ts";

applyAppearance();
createRoot(document.getElementById("root")!).render(
  <StrictMode>
    <ErrorBoundary>
      <App session={new Session()} />
    </ErrorBoundary>
  </StrictMode>,
);
