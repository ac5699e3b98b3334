// What is wrong now, and the state of everything at a glance.

import { Page } from "../../app/Page";
import css from "./HomePage.module.css";
import { HOME_SECTIONS } from "./sections";

export default function HomePage() {
  return (
    <Page title="Home">
      {HOME_SECTIONS.map(({ id, title, Content }) => (
        <section key={id} className={css.section} aria-labelledby={`section-${id}`}>
          <h2 id={`section-${id}`}>{title}</h2>
          <Content />
        </section>
      ))}
    </Page>
  );
}
