#!/bin/sh
# Makes the demo stream again: 8 s of H.264 and AAC in four MPEG-TS segments. Needs ffmpeg.
# On disk the segments end in .mpegts, because .ts would be compiled; in the playlist they end in .ts.
set -eu
cd "$(dirname "$0")"
rm -f segment*.mpegts stream.m3u8
ffmpeg -hide_banner -loglevel error \
  -f lavfi -i testsrc=size=320x180:rate=25:duration=8 -f lavfi -i sine=frequency=440:duration=8 \
  -c:v libx264 -profile:v main -pix_fmt yuv420p -preset veryslow -b:v 70k -maxrate 90k -bufsize 90k \
  -g 50 -keyint_min 50 -sc_threshold 0 \
  -c:a aac -b:a 32k -ac 1 -af volume=0.1 \
  -f hls -hls_time 2 -hls_playlist_type vod -hls_flags independent_segments \
  -hls_segment_filename 'segment%d.mpegts' stream.m3u8
sed 's/\.mpegts$/.ts/' stream.m3u8 >stream.tmp && mv stream.tmp stream.m3u8
