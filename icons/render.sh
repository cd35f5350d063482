#!/bin/sh
# Renders every icon from source/. Needs rsvg-convert (librsvg2-bin) and `npm ci` in ui/.
set -eu
cd "$(dirname "$0")"

mkdir -p tray
for state in healthy degraded all-down paused offline; do
  for look in light dark template; do
    rsvg-convert --width 44 --height 44 --stylesheet "source/tray-$look.css" \
      --output "tray/$state-$look.png" "source/tray-$state.svg"
  done
done
[ "${1-}" = tray ] && exit

work=$(mktemp -d)
trap 'rm -r "$work"' EXIT
rsvg-convert --width 1024 --height 1024 --output "$work/app.png" source/app.svg
../ui/node_modules/.bin/tauri icon --output "$work/icons" "$work/app.png"
for icon in 32x32.png 64x64.png 128x128.png 128x128@2x.png icon.png icon.icns icon.ico; do
  cp "$work/icons/$icon" .
done
