// Buttons, fields, menus, dialogs, tabs and tooltips: React Aria's behaviour in Vedette's clothes.

import type { ReactNode } from "react";
import {
  Button as AriaButton,
  type ButtonProps as AriaButtonProps,
  Checkbox as AriaCheckbox,
  Dialog as AriaDialog,
  Select as AriaSelect,
  Tabs as AriaTabs,
  Tooltip as AriaTooltip,
  FieldError,
  Input,
  Label,
  ListBox,
  ListBoxItem,
  Menu,
  MenuItem,
  MenuTrigger,
  Modal,
  ModalOverlay,
  Popover,
  SelectValue,
  Tab,
  TabList,
  TabPanel,
  TextField,
  ToggleButton,
  ToggleButtonGroup,
  TooltipTrigger,
} from "react-aria-components";
import css from "./controls.module.css";
import { Icon, type IconName } from "./Icon";

const classes = (...names: (string | false | undefined)[]): string => names.filter(Boolean).join(" ");

export interface ButtonProps extends Omit<AriaButtonProps, "className" | "children"> {
  readonly children?: ReactNode;
  readonly look?: "plain" | "primary" | "quiet";
  readonly icon?: IconName;
  readonly isSmall?: boolean;
}

/** A button with words; `IconButton` is for those without. */
export function Button({ children, look = "plain", icon, isSmall = false, ...props }: ButtonProps) {
  return (
    <AriaButton
      {...props}
      className={classes(css.button, look !== "plain" && css[look], isSmall && css.small, !children && css.icon)}
    >
      {icon && <Icon name={icon} />}
      {children}
    </AriaButton>
  );
}

/** A button that is an icon: its label is its tooltip, and what screen readers say. */
export function IconButton({
  label,
  icon,
  look = "quiet",
  ...props
}: Omit<ButtonProps, "children" | "icon"> & { label: string; icon: IconName }) {
  return (
    <Tooltip text={label}>
      <Button {...props} look={look} icon={icon} aria-label={label} />
    </Tooltip>
  );
}

export function Tooltip({ text, children }: { text: string; children: ReactNode }) {
  return (
    <TooltipTrigger delay={400} closeDelay={50}>
      {children}
      <AriaTooltip className={css.tooltip ?? ""} offset={6}>
        {text}
      </AriaTooltip>
    </TooltipTrigger>
  );
}

interface TextInputProps {
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly isLabelHidden?: boolean;
  readonly type?: "text" | "password" | "search";
  readonly placeholder?: string;
  readonly error?: string | null;
  readonly autoComplete?: string;
  readonly autoFocus?: boolean;
  readonly isRequired?: boolean;
}

export function TextInput({
  label,
  isLabelHidden = false,
  placeholder,
  error,
  type = "text",
  ...props
}: TextInputProps) {
  return (
    <TextField
      {...props}
      type={type}
      className={css.field ?? ""}
      isInvalid={Boolean(error)}
      {...(isLabelHidden ? { "aria-label": label } : {})}
    >
      {!isLabelHidden && <Label className={css.label}>{label}</Label>}
      <Input className={css.input ?? ""} {...(placeholder ? { placeholder } : {})} />
      <FieldError className={css.error ?? ""}>{error}</FieldError>
    </TextField>
  );
}

export interface Choice<T extends string> {
  readonly id: T;
  readonly label: string;
}

interface SelectProps<T extends string> {
  readonly label: string;
  readonly value: T;
  readonly onChange: (value: T) => void;
  readonly choices: readonly Choice<T>[];
  readonly isLabelHidden?: boolean;
}

export function Select<T extends string>({ label, value, onChange, choices, isLabelHidden = false }: SelectProps<T>) {
  return (
    <AriaSelect
      className={css.field ?? ""}
      value={value}
      onChange={(key) => onChange(String(key) as T)}
      {...(isLabelHidden ? { "aria-label": label } : {})}
    >
      {!isLabelHidden && <Label className={css.label}>{label}</Label>}
      <AriaButton className={css.button ?? ""}>
        <SelectValue />
        <span className={css.chevron}>
          <Icon name="down" size={12} />
        </span>
      </AriaButton>
      <Popover className={css.popover ?? ""}>
        <ListBox className={css.menu ?? ""}>
          {choices.map((choice) => (
            <ListBoxItem key={choice.id} id={choice.id} textValue={choice.label} className={css.item ?? ""}>
              {choice.label}
            </ListBoxItem>
          ))}
        </ListBox>
      </Popover>
    </AriaSelect>
  );
}

/** One of a few, all in sight. */
export function Toggles<T extends string>({ label, value, onChange, choices }: SelectProps<T>) {
  return (
    <ToggleButtonGroup
      aria-label={label}
      className={css.toggles ?? ""}
      selectionMode="single"
      disallowEmptySelection
      selectedKeys={[value]}
      onSelectionChange={(keys) => {
        const [key] = keys;
        if (key !== undefined) onChange(String(key) as T);
      }}
    >
      {choices.map((choice) => (
        <ToggleButton key={choice.id} id={choice.id} className={css.toggle ?? ""}>
          {choice.label}
        </ToggleButton>
      ))}
    </ToggleButtonGroup>
  );
}

export function Checkbox({
  label,
  isSelected,
  onChange,
}: {
  label: string;
  isSelected: boolean;
  onChange: (isSelected: boolean) => void;
}) {
  return (
    <AriaCheckbox className={css.checkbox ?? ""} isSelected={isSelected} onChange={onChange}>
      <span className={css.box} aria-hidden="true">
        {isSelected && "✓"}
      </span>
      {label}
    </AriaCheckbox>
  );
}

export interface MenuAction {
  readonly id: string;
  readonly label: string;
  readonly icon?: IconName;
  readonly onAction: () => void;
}

/** A button that opens a menu of things to do. */
export function ActionMenu({
  label,
  actions,
  children,
}: {
  label: string;
  actions: readonly MenuAction[];
  children: ReactNode;
}) {
  return (
    <MenuTrigger>
      {children}
      <Popover className={css.popover ?? ""} placement="bottom end">
        <Menu className={css.menu ?? ""} aria-label={label}>
          {actions.map((action) => (
            <MenuItem
              key={action.id}
              id={action.id}
              className={css.item ?? ""}
              textValue={action.label}
              onAction={action.onAction}
            >
              {action.icon && <Icon name={action.icon} />}
              {action.label}
            </MenuItem>
          ))}
        </Menu>
      </Popover>
    </MenuTrigger>
  );
}

interface DialogProps {
  readonly label: string;
  readonly isOpen: boolean;
  readonly onOpenChange?: (isOpen: boolean) => void;
  /** False for one that has to be answered. */
  readonly isDismissable?: boolean;
  readonly isBare?: boolean;
  readonly children: ReactNode;
}

export function Dialog({ label, isOpen, onOpenChange, isDismissable = true, isBare = false, children }: DialogProps) {
  return (
    <ModalOverlay
      className={css.overlay ?? ""}
      isOpen={isOpen}
      isDismissable={isDismissable}
      isKeyboardDismissDisabled={!isDismissable}
      {...(onOpenChange ? { onOpenChange } : {})}
    >
      <Modal className={css.modal ?? ""}>
        <AriaDialog className={isBare ? "" : (css.dialog ?? "")} aria-label={label}>
          {children}
        </AriaDialog>
      </Modal>
    </ModalOverlay>
  );
}

export interface TabContent {
  readonly id: string;
  readonly title: string;
  readonly content: ReactNode;
}

export function Tabs({
  label,
  tabs,
  selected,
  onSelect,
}: {
  label: string;
  tabs: readonly TabContent[];
  selected?: string;
  onSelect?: (id: string) => void;
}) {
  return (
    <AriaTabs
      {...(selected === undefined ? {} : { selectedKey: selected })}
      {...(onSelect ? { onSelectionChange: (key) => onSelect(String(key)) } : {})}
    >
      <TabList aria-label={label} className={css.tabs ?? ""}>
        {tabs.map((tab) => (
          <Tab key={tab.id} id={tab.id} className={css.tab ?? ""}>
            {tab.title}
          </Tab>
        ))}
      </TabList>
      {tabs.map((tab) => (
        <TabPanel key={tab.id} id={tab.id} className={css.panel ?? ""}>
          {tab.content}
        </TabPanel>
      ))}
    </AriaTabs>
  );
}
