namespace JobHost.Server.OpenApi.Examples;

/// <summary>Who, what and when in the examples.</summary>
internal static class Story
{
    internal const string Node = "node-a";
    internal const string Job = "stubborn";
    internal const string Caller = "anonymous from 127.0.0.1";
    internal const string Reason = "it hangs";

    internal static readonly Guid Run = Guid.Parse("01a21644-bea5-7bb7-afef-6347ef14b3ce");

    internal static string RunPath => $"/api/v1/runs/{Run}";

    /// <summary>Seconds after the story began.</summary>
    internal static DateTimeOffset At(double seconds) =>
        new DateTimeOffset(2026, 11, 26, 5, 12, 13, TimeSpan.Zero).AddMilliseconds(Math.Round(seconds * 1000));
}
