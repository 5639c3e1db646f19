"""What any image model here needs: backbones, datasets, training, metrics, runtime, artefact."""
