// Rows and columns: sorted by a click on a head, and drawn as far as they are in sight when there are many.

import {
  type CellContext,
  createColumnHelper,
  createSortedRowModel,
  rowSortingFeature,
  type SortingState,
  sortFn_alphanumeric,
  sortFn_text,
  tableFeatures,
  useTable,
} from "@tanstack/react-table";
import { useVirtualizer } from "@tanstack/react-virtual";
import { type ReactNode, useMemo, useRef, useState } from "react";
import css from "./DataTable.module.css";
import { Icon } from "./Icon";

const features = tableFeatures({
  rowSortingFeature,
  sortedRowModel: createSortedRowModel(),
  sortFns: { alphanumeric: sortFn_alphanumeric, text: sortFn_text },
});

export interface TableColumn<Row> {
  readonly id: string;
  readonly title: string;
  /** What rows are sorted by; the cell shows it unless `render` shows something else. */
  readonly value: (row: Row) => string | number | null;
  readonly render?: (row: Row) => ReactNode;
  readonly align?: "start" | "end";
  /** Below it the table is scrolled sideways. */
  readonly minWidth?: number;
}

interface DataTableProps<Row> {
  readonly label: string;
  readonly rows: readonly Row[];
  readonly columns: readonly TableColumn<Row>[];
  readonly rowId: (row: Row) => string;
  readonly sortedBy?: { readonly id: string; readonly desc: boolean };
  readonly maxHeight?: number;
  readonly onRowClick?: (row: Row) => void;
  readonly isBare?: boolean;
}

const DRAWN_AT_ONCE = 150;
const ROW_HEIGHT = 33;

export function DataTable<Row extends object>(props: DataTableProps<Row>) {
  const { label, rows, columns, rowId, sortedBy, maxHeight, onRowClick, isBare = false } = props;
  const [sorting, setSorting] = useState<SortingState>(sortedBy ? [{ ...sortedBy }] : []);
  const definitions = useMemo(() => {
    const helper = createColumnHelper<typeof features, Row>();
    const made = columns.map((column) =>
      helper.accessor((row) => column.value(row) ?? undefined, {
        id: column.id,
        header: column.title,
        sortUndefined: "last",
        cell: (context: CellContext<typeof features, Row, string | number | undefined>) =>
          column.render ? column.render(context.row.original) : (context.getValue() as ReactNode),
      }),
    );
    return helper.columns(made);
  }, [columns]);
  const table = useTable({
    features,
    columns: definitions,
    data: rows as Row[],
    getRowId: rowId,
    state: { sorting },
    onSortingChange: setSorting,
    enableSortingRemoval: false,
  });
  const shown = table.getRowModel().rows;
  const scroll = useRef<HTMLDivElement>(null);
  const isVirtual = shown.length > DRAWN_AT_ONCE;
  const virtualizer = useVirtualizer({
    count: shown.length,
    getScrollElement: () => scroll.current,
    estimateSize: () => ROW_HEIGHT,
    overscan: 12,
    enabled: isVirtual,
  });
  const items = virtualizer.getVirtualItems();
  const drawn = isVirtual ? items.flatMap((item) => shown[item.index] ?? []) : shown;
  const before = isVirtual ? (items[0]?.start ?? 0) : 0;
  const after = isVirtual ? virtualizer.getTotalSize() - (items.at(-1)?.end ?? 0) : 0;
  const height = maxHeight ?? (isVirtual ? 560 : undefined);
  const widths = new Map(columns.map((column) => [column.id, column.minWidth]));
  const align = new Map(columns.map((column) => [column.id, column.align]));
  const endClass = (id: string): string => (align.get(id) === "end" ? (css.end ?? "") : "");
  return (
    // In the order of the keyboard, as it may have to be scrolled.
    <section
      ref={scroll}
      className={`${css.scroll} ${isBare ? css.bare : ""}`}
      style={height ? { maxHeight: height } : undefined}
      aria-label={label}
    >
      <table className={css.table} aria-rowcount={shown.length + 1}>
        <thead>
          {table.getHeaderGroups().map((group) => (
            <tr key={group.id}>
              {group.headers.map((header) => {
                const sorted = header.column.getIsSorted();
                return (
                  <th
                    key={header.id}
                    scope="col"
                    className={`${css.head} ${endClass(header.id)}`}
                    style={{ minWidth: widths.get(header.id) }}
                    aria-sort={sorted === "asc" ? "ascending" : sorted === "desc" ? "descending" : "none"}
                  >
                    <button type="button" className={css.sort} onClick={header.column.getToggleSortingHandler()}>
                      <table.FlexRender header={header} />
                      {sorted && <Icon name={sorted === "asc" ? "up" : "down"} size={12} />}
                    </button>
                  </th>
                );
              })}
            </tr>
          ))}
        </thead>
        <tbody>
          {before > 0 && <Spacer height={before} columns={columns.length} />}
          {drawn.map((row, at) => (
            <tr
              key={row.id}
              // Rows are as high as their texts; the virtualizer measures those that it draws.
              ref={isVirtual ? virtualizer.measureElement : undefined}
              data-index={isVirtual ? items[at]?.index : undefined}
              className={`${css.row} ${onRowClick ? css.clickable : ""}`}
              onClick={onRowClick ? () => onRowClick(row.original) : undefined}
            >
              {row.getAllCells().map((cell) => (
                <td key={cell.id} className={`${css.cell} ${endClass(cell.column.id)}`}>
                  <table.FlexRender cell={cell} />
                </td>
              ))}
            </tr>
          ))}
          {after > 0 && <Spacer height={after} columns={columns.length} />}
        </tbody>
      </table>
    </section>
  );
}

function Spacer({ height, columns }: { height: number; columns: number }) {
  return (
    <tr>
      <td colSpan={columns} style={{ height, padding: 0 }} />
    </tr>
  );
}
