// <x-judge-calibration>: dimensions one after another; a digit answers the current one and goes on.

import { Rows } from "./rows.js";

class JudgeCalibration extends Rows {}

customElements.define("x-judge-calibration", JudgeCalibration);
