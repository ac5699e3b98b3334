import { Page } from "../../app/Page";
import { HostTable } from "./HostTable";

export default function HostsPage() {
  return (
    <Page title="Hosts">
      <HostTable />
    </Page>
  );
}
