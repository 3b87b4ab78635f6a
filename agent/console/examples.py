"""Tables for devices that were not found, to be filled in by hand."""

from collections.abc import Mapping

EXAMPLES: Mapping[str, str] = {
    "s7": """\
## A Siemens PLC: S7-300, 400, 1200, 1500 or LOGO!, read only.
## S7-1200/1500: tick "Permit access with PUT/GET communication from remote partner" in the
## properties of the CPU, and untick "Optimized block access" in those of the data block.
# [[device]]
# name = "plc"
# kind = "s7"
# host = "192.168.0.10"         # address or name of the PLC
# slot = 1                      # S7-1200/1500 1, S7-300 2, S7-400 mostly 3
#
# [[device.tag]]
# name = "pressure"
# address = "DB1.DBD6:REAL"     # as in TIA Portal, the type behind a colon
# unit = "bar"
""",
    "benchlab": """\
## A BENCHLAB board at USB; the only one is found by itself.
# [[device]]
# name = "board"
# kind = "benchlab"
# uid = ""                      # of several boards, which: agent discover shows it
""",
    "thermostat": """\
## A two-channel thermostat of a laboratory, Sinara 8451.
# [[device]]
# name = "laser"
# kind = "thermostat"
# host = "192.168.1.26"         # address or name of the thermostat
""",
    "luxtronik": """\
## A heat pump with a Luxtronik controller: Alpha Innotec, Novelan and others.
# [[device]]
# name = "heatpump"
# kind = "luxtronik"
# host = "192.168.0.50"         # address or name of the controller
# port = 8889                   # TCP port; controllers with old firmware have 8888
""",
    "modbus": """\
## A device with Modbus: energy meters, inverters, PLCs. Over a serial line it has
## serial = "/dev/ttyUSB0", baud = 9600 and parity = "even" in place of host.
# [[device]]
# name = "meter"
# kind = "modbus"
# host = "192.168.0.60"         # address or name
# unit_id = 1                   # which of the devices behind it
#
# [[device.tag]]
# name = "voltage"
# address = "IR0:FLOAT32"       # input register 0, 30001 in data sheets; HR: holding register
# unit = "V"
""",
    "json": """\
## A device that answers with JSON: over HTTP, at a TCP port (host and port) or a serial line.
# [[device]]
# name = "sensor"
# kind = "json"
# url = "http://192.168.0.70/status"
#
# [[device.tag]]
# name = "temperature"
# path = "sensors[0].temp"      # where the value stands in the answer
# unit = "°C"
""",
}
