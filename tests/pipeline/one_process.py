"""Run stages in one process, which loads TensorFlow once: one_process.py fetch evaluate@vgg16 …"""

import runpy
import sys

sys.path.insert(0, "pipeline")
for stage in sys.argv[1:]:
    name, *words = stage.split("@")
    sys.argv = [f"pipeline/{name}.py", *words]
    try:
        runpy.run_path(sys.argv[0], run_name="__main__")
    except SystemExit as end:
        if end.code:
            raise
