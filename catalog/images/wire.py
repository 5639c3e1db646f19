"""What passes between a Decoder and its worker."""

import struct

# A request: may the picture be heavy; the bytes of the path that follows.
REQUEST = struct.Struct("<?I")

# A reply's header: ASCII words padded with spaces to this many bytes; pixels follow an "ok".
HEADER = 256
