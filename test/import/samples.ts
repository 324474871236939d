/** Made for these tests, in the form that each program documents. */
export const LOADBALANCING_XML = `<?xml version="1.0"?>
<loadbalancer mode="LESS_LOADED_NODE" randomize="true" stream_distribution="webrtc">
    <node id="1"><ip>edge1.example.net</ip><wss>8443</wss></node>
    <node id="2">
        <ip>192.0.2.12</ip>
        <wss>443</wss>
        <rtmfp>1935</rtmfp>
    </node>
    <node id="3"><ip>edge1.example.org</ip></node>
    <node id="4"><ip>not a host</ip></node>
</loadbalancer>
`;

export const LSTSERVER = `{
  "edge1.example.net:4242": "Monitored (online)",
  "192.0.2.7:4343/1000": "Monitored (error)",
  "https://mist.example.org": "Monitored (online)",
  "": "Monitored (online)"
}`;

export const LB_STATUS = `{
  "edge1.example.net": {
    "bwlimit": 1250000000, "cpu": 23, "ram": 44, "viewers": 412,
    "geo": { "lat": 52.37, "lon": 4.9, "loc": "Amsterdam" },
    "tags": ["ams", "eu"]
  },
  "192.0.2.7": "Monitored (error)"
}`;

export const LB_WEIGHTS = '{"bonus":50,"bw":1000,"cpu":500,"geo":0,"ram":500}';

export const LB_SETTINGS = `{ "config": { "protocols": [
  { "connector": "HTTP" },
  { "connector": "Load", "server": ["edge1.example.net/500", "edge2.example.net:4243"] }
] } }`;

export const REDIRECTOR_PHP = `<?php
/* $server0 = new NimbleServer('192.0.2.99'); */
require_once 'nimble_lb.php';
$balancer = new NimbleLoadBalancer('bandwidth');
$balancer->setMemcachedServer('localhost', 11211);
$balancer->setExpirationTime(5);
$balancer->setWhenAllServersNotResponding('throw'); // or choose_random

$server = new NimbleServer('http://192.0.2.10:8081');
$server->setManagementPassword('pa;ss//wd');
$server->setManagementPort(8083);
$balancer->addServer($server);

$server = new NimbleServer("edge2.example.net");
$balancer->addServer($server); # the second
foreach ($more as $host) { $balancer->addServer(new NimbleServer($host)); }
header('Location: http://' . $balancer->getServer()->getHost() . $_GET['u'], false, 302);
?>`;

export const GDNSD_CONFIG = `options => { listen => 127.0.0.1 } ; a comment; with more
service_types => {
  hls => { plugin => http_status, vhost => live.example.com, url_path => "/he\\alth", port => 8080, interval = 5, timeout => 2, up_thresh => 3, ok_codes => [ 200, 204 ] }
  rtmp => { plugin => tcp_connect, port => 1935 }
  script => { plugin => extmon, cmd => [ /bin/true ] }
}
plugins => {
  geoip => {
    maps => {
      auto => {
        geoip2_db => GeoLite2-City.mmdb,
        datacenters => [ams, sin, nyc],
        auto_dc_coords => { ams => [ 52.37, 4.9 ], sin => [ 1.35, 103.82 ], nyc => [ 40.71, -74.01 ] },
        nets => { 10.0.0.0/8 => [ ams ] }
      }
      plain => { geoip2_db => GeoLite2-Country.mmdb, datacenters => [eu, us], map => { EU => [ eu ] } }
    }
    resources => {
      live => {
        map => auto
        service_types => [ hls, up ]
        dcmap => {
          ams => [ 192.0.2.11, 2001:db8::11 ],
          sin => { lb01 => 192.0.2.12, lb02 => 192.0.2.13 },
          nyc => { addrs_v4 => { a => 192.0.2.14 }, addrs_v6 => { b => 2001:db8::14 } }
        }
      }
      ingest => {
        map => auto, service_types => rtmp,
        dcmap => { ams => 192.0.2.21, sin => last.resort.example.net., nyc => %weighted!x }
      }
      www => { map => plain, service_types => script, dcmap => { eu => 198.51.100.1, us => 198.51.100.2 } }
    }
  }
  weighted => { x => { a => [ 192.0.2.1, 1 ] } }
}
`;

export const GDNSD_ZONE = `@ SOA ns1 hostmaster ( 1 7200 1800 259200 900 )
@     NS ns1
ns1   A 192.0.2.1
live  300/60 DYNA geoip!live
      600 DYNC geoip!live ; the same owner
$ORIGIN studio.example.com.
in    DYNA geoip!ingest/ams
`;

export const MIRRORS_CSV = `\uFEFFName;HTTP URL;Latitude;Longitude;Country;Score;Enabled;IPv4
"mirror; one";https://one.example.net/pub/;52,37;4.9;NL;10;true;192.0.2.1
two;two.example.net;1.35;103.82;SG;0;no;
three;;x;;;;;198.51.100.3 198.51.100.4
four;;;;;;;
`;
