using System.Net;
using JobHost.Client.Documents;

namespace JobHost.Client;

/// <summary>The server refused a request, and said why.</summary>
public sealed class JobHostApiException : Exception
{
    private const string TypePrefix = "/problems/";

    internal JobHostApiException(HttpStatusCode status, Problem problem, TimeSpan? retryAfter)
        : base(Describe(problem))
    {
        Status = status;
        Problem = problem;
        RetryAfter = retryAfter;
    }

    /// <summary>The status of the answer.</summary>
    public HttpStatusCode Status { get; }

    /// <summary>The whole problem document; of an answer that is none, only a title.</summary>
    public Problem Problem { get; }

    /// <summary>When the server wants to be asked again, or null.</summary>
    public TimeSpan? RetryAfter { get; }

    /// <summary>What kind of problem it is, such as <c>/problems/unknown-job</c>, or null.</summary>
    public string? Type => Problem.Type;

    /// <summary>The problem in words, or null.</summary>
    public string? Detail => Problem.Detail;

    /// <summary>Messages by field; empty where no field is at fault.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<string>> Errors =>
        Problem.Errors ?? new Dictionary<string, IReadOnlyList<string>>();

    /// <summary>Whether it is the problem with this slug, such as <c>unknown-job</c>.</summary>
    public bool Is(string slug) => Type == TypePrefix + slug;

    private static string Describe(Problem problem)
    {
        var words = new List<string>();
        foreach (var part in new[] { problem.Title, problem.Errors is { Count: > 0 } ? null : problem.Detail })
        {
            if (!string.IsNullOrEmpty(part))
            {
                words.Add(part.EndsWith('.') ? part : part + ".");
            }
        }
        foreach (var (field, messages) in problem.Errors ?? new Dictionary<string, IReadOnlyList<string>>())
        {
            words.Add(field.Length == 0 ? string.Join(' ', messages) : $"{field}: {string.Join(' ', messages)}");
        }
        return string.Join(' ', words);
    }
}
