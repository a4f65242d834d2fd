"""Makes a PNG small: at most 256 colours, the most frequent ones, chosen in the browser that took the picture. Written by RFC 2083, with zlib alone."""

import struct
import zlib
from base64 import b64decode, b64encode

from playwright.sync_api import Browser

CHOOSE = """async (data) => {
  const image = new Image();
  image.src = "data:image/png;base64," + data;
  await image.decode();
  const canvas = new OffscreenCanvas(image.width, image.height);
  const context = canvas.getContext("2d");
  context.drawImage(image, 0, 0);
  const pixels = context.getImageData(0, 0, image.width, image.height).data;
  const counted = new Map();
  for (let at = 0; at < pixels.length; at += 4) {
    const colour = (pixels[at] << 16) | (pixels[at + 1] << 8) | pixels[at + 2];
    counted.set(colour, (counted.get(colour) ?? 0) + 1);
  }
  const palette = [...counted].sort((one, other) => other[1] - one[1]).slice(0, 256).map(([colour]) => colour);
  const nearest = new Map(palette.map((colour, index) => [colour, index]));
  const distance = (one, other) => ((one >> 16) - (other >> 16)) ** 2 + (((one >> 8) & 255) - ((other >> 8) & 255)) ** 2 + ((one & 255) - (other & 255)) ** 2;
  for (const colour of counted.keys()) {
    if (nearest.has(colour)) continue;
    let best = 0;
    for (let index = 1; index < palette.length; index += 1) if (distance(colour, palette[index]) < distance(colour, palette[best])) best = index;
    nearest.set(colour, best);
  }
  const rows = new Uint8Array((image.width + 1) * image.height);
  for (let at = 0, row = 0; row < image.height; row += 1)
    for (let column = 0; column < image.width; column += 1, at += 4) rows[row * (image.width + 1) + column + 1] = nearest.get((pixels[at] << 16) | (pixels[at + 1] << 8) | pixels[at + 2]);
  let text = "";
  for (let at = 0; at < rows.length; at += 8192) text += String.fromCharCode(...rows.subarray(at, at + 8192));
  return { width: image.width, height: image.height, palette, rows: btoa(text) };
}"""


def reduced(browser: Browser, png: bytes) -> bytes:
    """The same picture with a palette; transparency is not kept."""
    page = browser.new_page()
    chosen = page.evaluate(CHOOSE, b64encode(png).decode())
    page.close()
    colours = b"".join(colour.to_bytes(3, "big") for colour in chosen["palette"])
    header = struct.pack(">IIBBBBB", chosen["width"], chosen["height"], 8, 3, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in ((b"IHDR", header), (b"PLTE", colours), (b"IDAT", zlib.compress(b64decode(chosen["rows"]), 9)), (b"IEND", b"")))


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
