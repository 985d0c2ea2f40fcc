using System.Globalization;

namespace JobHost.Server.Http;

/// <summary>The header <c>Prefer</c> (RFC 7240), of which <c>wait=SECONDS</c> is understood.</summary>
internal static class Preferences
{
    internal const int MaxSeconds = 300;

    private static readonly TimeSpan MaxWait = TimeSpan.FromSeconds(MaxSeconds);

    /// <summary>How long the client is willing to wait, at most 300 s; null where it does not say.</summary>
    internal static TimeSpan? Wait(HttpRequest request)
    {
        foreach (var preference in request.Headers.GetCommaSeparatedValues("Prefer"))
        {
            if (
                preference.Split('=', 2, StringSplitOptions.TrimEntries) is ["wait", var text]
                && int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds)
            )
            {
                var wait = TimeSpan.FromSeconds(seconds);
                return wait < MaxWait ? wait : MaxWait;
            }
        }
        return null;
    }

    /// <summary>Says that the preference was honoured.</summary>
    internal static void Applied(HttpResponse response, TimeSpan wait) =>
        response.Headers["Preference-Applied"] = string.Create(
            CultureInfo.InvariantCulture,
            $"wait={wait.TotalSeconds:0}"
        );
}
