# Builds with the compiler, runs without it: the image holds node, dist/, the databases and the demo's media.
FROM node:24-slim AS build
WORKDIR /edgeward
COPY package.json package-lock.json .npmrc tsconfig.json tsconfig.build.json ./
COPY src src
RUN npm ci && npm prune --omit=dev --ignore-scripts

FROM node:24-slim
ENV NODE_ENV=production STATE_DIRECTORY=/var/lib/edgeward
WORKDIR /edgeward
COPY --from=build /edgeward/node_modules node_modules
COPY --from=build /edgeward/dist dist
COPY --from=build /edgeward/package.json package.json
COPY src/demo/media src/demo/media
COPY config config
RUN ln -s /edgeward/dist/main.js /usr/local/bin/edgeward \
 && install -d -o node -g node "$STATE_DIRECTORY"
# Nothing but the state directory needs to be writable: run with --read-only and a volume there.
VOLUME /var/lib/edgeward
USER node
# Ports 53 and 80 need no privilege inside a container on current engines (net.ipv4.ip_unprivileged_port_start=0).
EXPOSE 53/udp 53/tcp 80/tcp 9153/tcp
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s CMD ["edgeward", "health", "-c", "/etc/edgeward/edgeward.yaml"]
# The option is explained in docs/service.md.
ENTRYPOINT ["node", "--max-semi-space-size=8", "/edgeward/dist/main.js"]
CMD ["serve", "-c", "/etc/edgeward/edgeward.yaml"]
