"""What each calculation is called, as the description of the protocol has its meaning."""

import pytest

from agent.devices.luxtronik.tables import entry
from agent.devices.luxtronik.wire import CALCULATIONS

MEANINGS = """
10 Flow Temperature
11 Return Temperature
12 Return Temperature Setpoint Heating
13 External Return Temperature
14 Hot Gas Temperature
15 Ambient Temperature
16 Average Ambient Temperature
17 Hot Water Temperature
18 Hot Water Temperature Setpoint
19 Heat Source In Temperature
20 Heat Source Out Temperature
21 Mixing Circuit 1 Flow Temperature
22 Mixing Circuit 1 Flow Temperature Setpoint
23 Room Station Temperature
24 Mixing Circuit 2 Flow Temperature
25 Mixing Circuit 2 Flow Temperature Setpoint
26 Solar Collector Temperature
27 Solar Tank Temperature
28 External Energy Source Temperature
29 Defrost or Brine Pressure Input
30 Hot Water Thermostat Input
31 Utility Lock Input
32 High Pressure Input
33 Motor Protection Input
34 Low Pressure Input
35 Anode Input
36 Pool Thermostat Input
37 Defrost Valve
38 Hot Water Pump
39 Heating Pump
40 Mixer 1 Open
41 Mixer 1 Close
42 Ventilation
43 Brine Pump or Fan
44 Compressor 1
45 Compressor 2
46 Circulation Pump
47 Auxiliary Pump
48 Second Heat Generator 1
49 Second Heat Generator 2
50 Second Heat Generator 3
51 Mixing Circuit Pump 2
52 Solar Charge Pump
53 Pool Pump
54 Mixer 2 Close
55 Mixer 2 Open
56 Compressor 1 Operating Time
57 Compressor 1 Starts
58 Compressor 2 Operating Time
59 Compressor 2 Starts
60 Second Heat Generator 1 Operating Time
61 Second Heat Generator 2 Operating Time
62 Second Heat Generator 3 Operating Time
63 Heat Pump Operating Time
64 Heating Operating Time
65 Hot Water Operating Time
66 Cooling Operating Time
67 Heat Pump On Timer
68 Second Heat Generator 1 On Timer
69 Second Heat Generator 2 On Timer
70 Switch-On Delay
71 Cycle Lock Off Timer
72 Cycle Lock On Timer
73 Compressor Standstill Timer
74 Heating Regulator More Timer
75 Heating Regulator Less Timer
76 Disinfection Timer
77 Hot Water Lock Timer
78 Heat Pump Type
79 Bivalence Stage
80 Operation Mode
81 Firmware
91 IP Address
92 Netmask
93 Broadcast Address
94 Gateway
95 Error 1 Time
96 Error 2 Time
97 Error 3 Time
98 Error 4 Time
99 Error 5 Time
100 Error 1 Number
101 Error 2 Number
102 Error 3 Number
103 Error 4 Number
104 Error 5 Number
105 Error Count
106 Shut-Down 1 Reason
107 Shut-Down 2 Reason
108 Shut-Down 3 Reason
109 Shut-Down 4 Reason
110 Shut-Down 5 Reason
111 Shut-Down 1 Time
112 Shut-Down 2 Time
113 Shut-Down 3 Time
114 Shut-Down 4 Time
115 Shut-Down 5 Time
116 Comfort Board Present
117 Display Line 1
118 Display Line 2
119 Display Line 3
120 Display Time
121 Screed Heating Stage
122 Screed Heating Temperature
123 Screed Heating Time
134 Controller Clock
138 Mixer 3 Close
139 Mixer 3 Open
140 Mixing Circuit Pump 3
147 Analogue Input
151 Energy Meter Heating
152 Energy Meter Hot Water
153 Energy Meter Pool
154 Energy Meter Since Reset
155 Energy Meter Flow
156 Analogue Output 1
157 Analogue Output 2
159 Ventilation Supply Air Temperature
160 Ventilation Exhaust Air Temperature
161 Solar Operating Time
173 Heat Source Flow
175 Evaporator Suction Temperature
176 Compressor Suction Temperature
177 Compressor Heater Temperature
178 Superheat
179 Superheat Setpoint
180 High Pressure
181 Low Pressure
183 Pump PWM
184 Fan Speed
187 Inverter Heat Setpoint
188 Inverter Heat
189 Inverter Flow Temperature Setpoint
191 Inverter Operation Mode
193 Inverter Compressor Speed
194 EVI Compressor Temperature
195 EVI Suction Temperature
196 EVI Superheat
197 EVI Superheat Setpoint
198 Inverter Condensation Temperature
199 Liquid Temperature
200 Subcooling
201 EVI Pressure
202 Inverter Voltage
227 Room Temperature
228 Room Temperature Setpoint
229 Hot Water Top Temperature
230 Heat Pump Type, Circuit 2
231 Compressor Frequency
232 Evaporation Temperature
233 Condensation Temperature
236 Compressor Frequency Setpoint
237 Compressor Frequency Minimum
238 Compressor Frequency Maximum
239 Heat Source Spread Setpoint
240 Heat Source Spread
241 Heating Pump PWM
242 Heating Spread Setpoint
243 Heating Spread
254 Flow Rate
257 Heat Output
258 Room Unit Version
267 Desired Room Temperature
268 Electrical Input
"""
SECOND_CIRCUIT = {  # the same as of the first
    203: 14,
    204: 19,
    205: 175,
    206: 176,
    207: 177,
    208: 178,
    209: 179,
    210: 180,
    211: 181,
    212: 32,
    213: 37,
    214: 43,
    215: 44,
    **{217 + number: 106 + number for number in range(10)},
}
ROWS = [line.split(" ", 1) for line in MEANINGS.strip().splitlines()]


@pytest.mark.parametrize(("index", "title"), ROWS)
def test_a_calculation_is_called_by_its_meaning(index: str, title: str) -> None:
    assert entry(CALCULATIONS, int(index)).title == title


@pytest.mark.parametrize(("index", "first"), SECOND_CIRCUIT.items())
def test_the_second_circuit_is_called_as_the_first(index: int, first: int) -> None:
    expected = f"{entry(CALCULATIONS, first).title}, Circuit 2"

    assert entry(CALCULATIONS, index).title == expected
