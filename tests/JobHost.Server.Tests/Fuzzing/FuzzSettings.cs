using System.Globalization;

namespace JobHost.Server.Tests.Fuzzing;

/// <summary>How much is tried, and what, as the environment says.</summary>
internal static class FuzzSettings
{
    internal const string SeedName = "JOBHOST_FUZZ_SEED";
    internal const string OnlyName = "JOBHOST_FUZZ_ONLY";

    private const string RequestsName = "JOBHOST_FUZZ_REQUESTS";

    /// <summary>From which all requests follow.</summary>
    internal static int Seed { get; } = Number(SeedName) ?? 20_260_101;

    /// <summary>How many requests of each operation, where somebody wants more than the short version.</summary>
    internal static int? Requests { get; } = Number(RequestsName);

    /// <summary>The indices of the requests of an operation: all, or those that <c>OPERATION</c> or <c>OPERATION/INDEX</c> leaves.</summary>
    internal static IEnumerable<int> IndicesOf(ApiOperation operation, int count) =>
        Environment.GetEnvironmentVariable(OnlyName)?.Split('/') switch
        {
            [var id, var index] => id == operation.Id ? [int.Parse(index, CultureInfo.InvariantCulture)] : [],
            [{ Length: > 0 } id] => id == operation.Id ? Enumerable.Range(0, count) : [],
            _ => Enumerable.Range(0, count),
        };

    private static int? Number(string name) =>
        int.TryParse(Environment.GetEnvironmentVariable(name), CultureInfo.InvariantCulture, out var number)
            ? number
            : null;
}
