namespace JobHost.Server.Contracts;

/// <summary>How lists are read page by page.</summary>
internal static class Paging
{
    internal const int MaxSize = 500;
    internal const int DefaultSize = 50;

    internal const string SizeWords = "How many at most; 50 where it is absent.";
    internal const string TokenWords = "The `nextPageToken` of the page before, with the same filters.";
}
