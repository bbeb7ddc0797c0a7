"""Models on the device: installed, proven, chosen and rolled back; a power cut at any instant leaves a good one."""
