namespace JobHost.Jobs;

/// <summary>That a job begins no runs.</summary>
/// <param name="By">Who wanted it.</param>
/// <param name="At">Since when.</param>
/// <param name="Reason">Why, or null.</param>
public sealed record JobPause(string By, DateTimeOffset At, string? Reason);
