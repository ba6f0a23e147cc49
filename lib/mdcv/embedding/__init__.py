"""Learning where to put things, so that near means alike: losses on pairs and triplets."""

from mdcv.embedding.contrastive import contrastive_loss
from mdcv.embedding.mining import Triplets, mine_triplets
from mdcv.embedding.triplet import triplet_loss

__all__ = ["Triplets", "contrastive_loss", "mine_triplets", "triplet_loss"]
