"""What ratings say: win rates, rankings, means, agreement, checks of raters. Pure, with numpy."""
