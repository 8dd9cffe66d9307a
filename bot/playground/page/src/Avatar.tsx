import type { User, World } from "./types";

/** A person's initials on their colour; the app has its lighthouse. */
export function Avatar({ user, world, size = 36 }: { user: User | undefined; world: World; size?: number }) {
  const style = { width: size, height: size, fontSize: size * 0.4, borderRadius: Math.round(size * 0.22) };
  if (!user || user.id === world.app.bot_user) return <img className="avatar" style={style} src="/assets/vigie.svg" alt="" />;
  const color = user.color.startsWith("#") ? user.color : `#${user.color}`;
  return (
    <span className="avatar" style={{ ...style, background: color }} aria-hidden="true">
      {user.initials}
    </span>
  );
}
